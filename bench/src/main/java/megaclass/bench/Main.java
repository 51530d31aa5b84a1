// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

/** {@code megaclass bench}: measures, as the words of the command line say. */
public final class Main {
  private Main() {}

  /** Ends with an exit code: 0 done, 1 failed, 2 wrong usage, 3 bad input file. */
  public static void main(String[] args) {
    System.exit(Shell.ofProcess().run(args));
  }
}
