// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import picocli.CommandLine.Option;

/** Flags of every verb. */
final class Everywhere {
  @Option(names = "--help", usageHelp = true, description = "this text")
  boolean help;

  @Option(names = "--debug", description = "show where an error comes from")
  boolean debug;
}
