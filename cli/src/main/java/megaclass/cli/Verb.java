// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.util.List;
import megaclass.cli.settings.Setting;

/** One verb of the command line, {@code megaclass VERB}. */
public interface Verb {
  /** The word itself. */
  String name();

  /** What it does, in a few words without a full stop. */
  String summary();

  /** What may follow the verb, one way a line. */
  List<String> synopses();

  /** The flags it takes. */
  List<Setting<?>> flags();

  /** Two command lines that can be run as they are. */
  List<String> examples();

  /**
   * Does it.
   *
   * @return the exit code
   */
  int run(Arguments arguments, Console console);
}
