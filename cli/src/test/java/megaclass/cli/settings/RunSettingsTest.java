// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import megaclass.backbone.NetworkTraining;
import megaclass.cli.settings.Settings.Given;
import megaclass.train.TrainConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunSettingsTest {
  @Test
  void everyComponentOfTrainConfigHasAFlagOfTheSameName() {
    var components =
        Stream.of(TrainConfig.class.getRecordComponents())
            .map(RecordComponent::getName)
            .flatMap(name -> name.equals("network") ? ofNetwork() : Stream.of(name))
            .toList();
    var flags =
        RunSettings.ALL.stream()
            .filter(Setting::isOfTrainer)
            .map(setting -> camel(setting.flag().substring(2)))
            .toList();
    assertEquals(components.stream().sorted().toList(), flags.stream().sorted().toList());
  }

  /** Flags of what only a network has start with the backbone; --augment is no one else's. */
  private static Stream<String> ofNetwork() {
    return Stream.of(NetworkTraining.class.getRecordComponents())
        .map(RecordComponent::getName)
        .map(name -> name.equals("augmentation") ? "augment" : camel("backbone-" + name));
  }

  @Test
  void theKeyInTheFileIsTheFlagInSnakeCase() {
    for (var setting : RunSettings.ALL) {
      String snake = setting.flag().substring(2).replace('-', '_');
      boolean spec = setting.key().equals("spec");
      boolean same =
          snake.equals(setting.key()) || snake.equals(setting.section() + "_" + setting.key());
      assertTrue(spec || same, setting.flag() + " is " + setting.key() + " in the file");
    }
  }

  @Test
  void theLogNamesSettingsAsTheFlagsDo() {
    var logged = TrainConfig.defaults().settings().keySet();
    var flags =
        RunSettings.ALL.stream().map(setting -> camel(setting.flag().substring(2))).toList();
    var unknown = new ArrayList<>(logged);
    unknown.removeAll(flags);
    assertEquals(List.of(), unknown);
  }

  @Test
  void defaultsAreThoseOfTheLibrary() {
    assertEquals(TrainConfig.defaults(), Settings.defaults(RunSettings.ALL).trainConfig());
  }

  @Test
  void sectionsStandTogether() {
    var sections = new ArrayList<String>();
    for (var setting : RunSettings.ALL) {
      if (sections.isEmpty() || !sections.getLast().equals(setting.section())) {
        sections.add(setting.section());
      }
    }
    assertEquals(sections.stream().distinct().toList(), sections);
  }

  @Test
  void everySettingSaysWhatItIsAndWhatIsAllowed() {
    for (var setting : RunSettings.ALL) {
      assertFalse(setting.description().isEmpty(), setting.flag());
      assertFalse(setting.allowed().isEmpty(), setting.flag());
      assertFalse(setting.description().endsWith("."), setting.flag());
    }
  }

  @Test
  void zeroThreadsAreAsManyAsThereAreProcessors() {
    var settings = Settings.defaults(RunSettings.ALL).with(given(RunSettings.THREADS, "0"));
    assertEquals(
        Runtime.getRuntime().availableProcessors(), settings.get(RunSettings.THREADS).intValue());
  }

  @Test
  void valuesAreReadAsWhatTheyAre() {
    var settings =
        Settings.defaults(RunSettings.ALL)
            .with(given(RunSettings.MEMORY, "16g"))
            .with(given(RunSettings.CHECKPOINT_EVERY, "90s"))
            .with(given(RunSettings.EPOCHS, "2.5"));
    assertEquals(16L << 30, settings.get(RunSettings.MEMORY));
    assertEquals(Duration.ofSeconds(90), settings.get(RunSettings.CHECKPOINT_EVERY));
    assertEquals(2.5, settings.trainConfig().epochs());
    assertEquals("16g", settings.text(RunSettings.MEMORY));
    assertEquals("90s", settings.text(RunSettings.CHECKPOINT_EVERY));
    assertEquals("2.5", settings.text(RunSettings.EPOCHS));
  }

  @Test
  void autoAndOffAreReadAndWritten() {
    var settings =
        Settings.defaults(RunSettings.ALL)
            .with(given(RunSettings.MEMORY, "auto"))
            .with(given(RunSettings.CHECKPOINT_EVERY, "off"));
    assertEquals(0, settings.get(RunSettings.MEMORY));
    assertEquals(Duration.ZERO, settings.get(RunSettings.CHECKPOINT_EVERY));
    assertEquals("auto", settings.text(RunSettings.MEMORY));
    assertEquals("off", settings.text(RunSettings.CHECKPOINT_EVERY));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --epochs        | 0     | --epochs: epochs must be a finite number above 0, but was 0.0
          --epochs        | many  | --epochs: must be a number, but was "many"
          --batch-size    | 0     | --batch-size: batchSize must be in [1, 65536], but was 0
          --batch-size    | 1.5   | --batch-size: must be a whole number, but was "1.5"
          --dim           | 99999999999 | --dim: must be in [-2147483648, 2147483647], but was 99999999999
          --threads       | 2000  | --threads: threads must be in [1, 1024], but was 2000
          --backend       | gpu   | --backend: backend must be one of auto, vector, scalar, cuda, but was "gpu"
          --device-precision  | fp16 | --device-precision: device precision must be tf32, bf16 or fp32, but was "fp16"
          --device-memory | 0     | --device-memory: deviceMemory must be at least 1, but was 0
          --device-number | -1    | --device-number: deviceNumber must be at least 0, but was -1
          --device-count  | 0     | --device-count: deviceCount must be in [1, 64], but was 0
          --memory        | lots  | --memory: cannot read the bytes "lots"; give a number and a unit, such as 16g or 512m
          --memory        | 0     | --memory: memory must be at least 1, but was 0
          --test-share    | 1     | --test-share: testShare must be in [0.0, 1.0), but was 1.0
          --k             | 0     | --k: k must be in [1, 1000], but was 0
          --evaluate-times    | -1 | --evaluate-times: evaluateTimes must be at least 0, but was -1
          --evaluate-examples | 0  | --evaluate-examples: evaluateExamples must be at least 1, but was 0
          --checkpoint-every  | x  | --checkpoint-every: cannot read the time span "x"; give a number and a unit, such as 90s or 10m
          --checkpoint-keep   | yes | --checkpoint-keep: must be true or false, but was yes
          """)
  void aValueThatIsNotAllowedIsNamedWithItsFlag(String flag, String text, String message) {
    var setting =
        RunSettings.ALL.stream().filter(s -> s.flag().equals(flag)).findFirst().orElseThrow();
    var defaults = Settings.defaults(RunSettings.ALL);
    var e = assertThrows(InvalidSettingException.class, () -> defaults.with(given(setting, text)));
    assertEquals(message, e.getMessage());
    assertTrue(e.isFlag());
  }

  /** Replace the page by target/configuration.md when the settings change. */
  @Test
  void thePageOfSettingsIsUpToDate() throws IOException {
    var expected = SettingsPage.markdown(RunSettings.ALL);
    Files.writeString(Path.of("target/configuration.md"), expected);
    assertEquals(expected, Files.readString(Path.of("../docs/configuration.md")));
  }

  private static Map<Setting<?>, Given> given(Setting<?> setting, String text) {
    return Map.of(setting, new Given(text, setting.flag(), true));
  }

  private static String camel(String kebab) {
    var words = List.of(kebab.split("-"));
    var camel = new StringBuilder(words.getFirst());
    words
        .subList(1, words.size())
        .forEach(
            word ->
                camel
                    .append(word.substring(0, 1).toUpperCase(Locale.ROOT))
                    .append(word.substring(1)));
    return camel.toString();
  }
}
