// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.util.List;
import java.util.Map;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.settings.Settings.Given;

/**
 * The words of a command line behind the verb.
 *
 * @param words those that are no flags
 * @param flags those that were given
 * @param commandLine all of it, as the user wrote it
 */
public record Arguments(List<String> words, Map<Setting<?>, Given> flags, String commandLine) {
  /** The flags of a verb with their defaults where they were not given. */
  public Settings settings(List<Setting<?>> known) {
    return Settings.defaults(known).with(flags);
  }

  /** The only word; throws when there is none or more than one. */
  public String word(String expected) {
    if (words.size() != 1) {
      throw new UsageException(
          "expected " + expected + ", but got " + (words.isEmpty() ? "nothing" : words.toString()));
    }
    return words.getFirst();
  }
}
