// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

/** The command line asks for something that cannot be: exit code 2. The message is for the user. */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a sentence that says what, got, allowed and what to do. */
  public UsageException(String message) {
    super(message);
  }
}
