// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

/** What the program tells the shell. */
public final class ExitCode {
  /** Done. */
  public static final int DONE = 0;

  /** Something went wrong. */
  public static final int FAILED = 1;

  /** The command line cannot be understood. */
  public static final int WRONG_USAGE = 2;

  /** An input file cannot be used. */
  public static final int BAD_INPUT_FILE = 3;

  /** Ended by Ctrl-C, as shells count it. */
  public static final int INTERRUPTED = 130;

  private ExitCode() {}
}
