// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

/**
 * A setting was given a text that is no value of it. The message starts with where it was given.
 */
public final class InvalidSettingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean isFlag;

  InvalidSettingException(Settings.Given given, IllegalArgumentException cause) {
    super(given.origin() + ": " + cause.getMessage(), cause);
    this.isFlag = given.isFlag();
  }

  /** Whether it was given on the command line. */
  public boolean isFlag() {
    return isFlag;
  }
}
