// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.io.IOException;

/** {@code megaclass bench}: runs the benchmarks that the words of the command line choose. */
public final class Main {
  private Main() {}

  /**
   * Hands the words to JMH.
   *
   * @param args what JMH understands; {@code -h} lists it
   */
  public static void main(String[] args) throws IOException {
    org.openjdk.jmh.Main.main(args);
  }
}
