// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.UsageException;
import megaclass.cli.settings.ConfigFile;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.cli.settings.Settings.Given;

/**
 * What a command line asks to be trained: the settings from a file, from the words that name data
 * and from flags, each winning over those before it, and the folder of the run.
 *
 * @param settings all of them
 * @param runName folder of the run, as messages name it
 */
record TrainRequest(Settings settings, String runName) {
  private static final String CONFIG_NAME = "config.toml";

  /** Reads the words and flags of a command line. */
  static TrainRequest of(Arguments arguments, List<Setting<?>> known, Console console) {
    return new Reader(arguments, known, console).read();
  }

  private static final class Reader {
    private final Arguments arguments;
    private final List<Setting<?>> known;
    private final Console console;
    private final Map<Setting<?>, Given> file = new LinkedHashMap<>();
    private final Map<Setting<?>, Given> words = new LinkedHashMap<>();
    private String runName = "";

    Reader(Arguments arguments, List<Setting<?>> known, Console console) {
      this.arguments = arguments;
      this.known = known;
      this.console = console;
    }

    TrainRequest read() {
      var data = new ArrayList<String>();
      for (String word : arguments.words()) {
        boolean isRun = Files.isRegularFile(console.path(word).resolve(CONFIG_NAME));
        if (isRun || word.toLowerCase(Locale.ROOT).endsWith(".toml")) {
          readConfig(isRun ? Path.of(word, CONFIG_NAME) : Path.of(word));
        } else {
          data.add(word);
        }
      }
      readData(data);
      putAsideOtherData();
      var settings = Settings.defaults(known).with(file).with(words).with(arguments.flags());
      String given = settings.get(OutputSettings.RUN_DIR);
      return new TrainRequest(settings, given.isEmpty() ? runName(settings) : given);
    }

    private void readConfig(Path config) {
      if (!file.isEmpty()) {
        throw new UsageException("got two configurations, the second is " + config);
      }
      file.putAll(
          ConfigFile.read(RunSettings.ALL, console.folder().resolve(config), config.toString()));
      var folder = config.getParent();
      runName =
          folder != null && config.endsWith(CONFIG_NAME)
              ? folder.normalize().toString()
              : "runs/" + stem(config.toString());
    }

    private void readData(List<String> data) {
      if (data.isEmpty()) {
        return;
      }
      String first = data.getFirst();
      boolean converted = first.toLowerCase(Locale.ROOT).endsWith(".mcd");
      if (data.size() > (converted ? 1 : 2)) {
        throw new UsageException(
            "got %s; name one file, or rows and their labels".formatted(String.join(" ", data)));
      }
      put(converted ? RunSettings.TRAIN : RunSettings.SOURCE, first);
      if (data.size() == 2) {
        put(RunSettings.LABELS, data.getLast());
      }
    }

    private void put(Setting<?> setting, String word) {
      words.put(setting, new Given(word, word, true));
    }

    /** Data on the command line takes the place of the data in the file. */
    private void putAsideOtherData() {
      var line = new LinkedHashMap<>(words);
      line.putAll(arguments.flags());
      if (line.containsKey(RunSettings.TRAIN) || line.containsKey(RunSettings.SOURCE)) {
        file.keySet()
            .removeAll(
                List.of(
                    RunSettings.TRAIN, RunSettings.TEST, RunSettings.SOURCE, RunSettings.LABELS));
      }
    }

    private String runName(Settings settings) {
      if (!runName.isEmpty()) {
        return runName;
      }
      String train = settings.get(RunSettings.TRAIN);
      return "runs/" + stem(train.isEmpty() ? settings.get(RunSettings.SOURCE) : train);
    }

    /** The name of a file without folders and without what follows its first point. */
    private static String stem(String file) {
      String name = file.substring(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
      int end = name.lastIndexOf('.');
      return end > 0 ? name.substring(0, end) : name;
    }
  }
}
