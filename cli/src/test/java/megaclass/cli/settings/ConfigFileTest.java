// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import megaclass.cli.settings.Settings.Given;
import megaclass.internal.InvalidFileException;
import megaclass.loss.Loss;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFileTest {
  @TempDir Path folder;

  @Test
  void keysAreReadFromTheirSections() throws IOException {
    var settings =
        read(
            """
            seed = 7
            [loss]
            spec = "arcface(scale=64, margin=0.5)"  # a comment
            [optim]
            learning_rate = 1e-3
            [train]
            epochs = 2
            batch_size = 1_000
            [checkpoint]
            keep = true
            """);
    assertEquals(7, settings.get(RunSettings.SEED));
    assertEquals(Loss.parse("arcface(scale=64, margin=0.5)"), settings.get(RunSettings.LOSS));
    assertEquals(0.001, settings.get(RunSettings.LEARNING_RATE));
    assertEquals(2.0, settings.get(RunSettings.EPOCHS));
    assertEquals(1000, settings.get(RunSettings.BATCH_SIZE));
    assertEquals(true, settings.get(RunSettings.CHECKPOINT_KEEP));
    assertEquals("run.toml:3", settings.given(RunSettings.LOSS).orElseThrow().origin());
    assertFalse(settings.given(RunSettings.DIM).isPresent());
  }

  @Test
  void flagsWinOverTheFile() throws IOException {
    var flag = Map.<Setting<?>, Given>of(RunSettings.EPOCHS, new Given("9", "--epochs", true));
    var settings = read("[train]\nepochs = 2\n").with(flag);
    assertEquals(9.0, settings.get(RunSettings.EPOCHS));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          [trains]             | run.toml:1: unknown section [trains], did you mean train?
          [model]              | run.toml:1: unknown section [model]; the sections there are: data, backbone, weights, loss, select, optim, train, device, evaluate, checkpoint
          [train];epoch = 3    | run.toml:2: unknown key epoch in [train], did you mean epochs?
          [optim];epochs = 3   | run.toml:2: unknown key epochs in [optim]; it belongs to [train]
          [optim];seed = 3     | run.toml:2: unknown key seed in [optim]; it belongs before the first section
          [select];shape = 3   | run.toml:2: unknown key shape in [select]; the keys there are: spec
          sede = 3             | run.toml:1: unknown key sede before the first section, did you mean seed?
          [loss];psec = "all"  | run.toml:2: unknown key psec in [loss], did you mean spec?
          [tarin]              | run.toml:1: unknown section [tarin], did you mean train?
          sead = 3             | run.toml:1: unknown key sead before the first section, did you mean seed?
          train = 3            | run.toml:1: unknown key train before the first section; it belongs to [data]
          [train];epochs = "3" | run.toml:2: epochs must be a number, but was "3"
          [train];batch_size = 2.5 | run.toml:2: batch_size must be a whole number, but was 2.5
          [loss];spec = 3      | run.toml:2: spec must be a text in quotes, but was 3
          [checkpoint];keep = 1 | run.toml:2: keep must be true or false, but was 1
          [train];epochs = 3;[train.more] | run.toml:3: unknown key more in [train]; the keys there are: epochs, batch_size, neighbourhood, threads, backend, memory
          """)
  void whatIsWrongIsNamedWithItsLine(String lines, String message) {
    var e = assertThrows(InvalidFileException.class, () -> read(lines.replace(';', '\n')));
    assertEquals(message, e.getMessage());
  }

  @Test
  void aValueThatIsNotAllowedIsNamedWithItsLine() {
    var e = assertThrows(InvalidSettingException.class, () -> read("[train]\nepochs = -1\n"));
    assertEquals(
        "run.toml:2: epochs must be a finite number above 0, but was -1.0", e.getMessage());
    assertFalse(e.isFlag());
  }

  @Test
  void whatIsNoTomlIsNamedWithItsLine() {
    var e = assertThrows(InvalidFileException.class, () -> read("seed = 3\nepochs =\n"));
    assertEquals(
        "run.toml:2: is no TOML: Unexpected end of line, expected ', \", ''', \"\"\", a number, a"
            + " boolean, a date/time, an array, or a table",
        e.getMessage());
  }

  @Test
  void aMissingFileIsNamed() {
    var e =
        assertThrows(
            InvalidFileException.class,
            () -> ConfigFile.read(RunSettings.ALL, folder.resolve("none.toml"), "none.toml"));
    assertEquals("none.toml: no such file or folder", e.getMessage());
  }

  @Provide
  Arbitrary<Settings> settings() {
    var texts = Arbitraries.strings().all().ofMaxLength(20).filter(ConfigFileTest::isUnicode);
    return Combinators.combine(
            texts, Arbitraries.longs(), Arbitraries.doubles().between(1e-12, 1e12).ofScale(15))
        .as(
            (text, seed, rate) ->
                Settings.defaults(RunSettings.ALL)
                    .with(RunSettings.TRAIN, text)
                    .with(RunSettings.SEED, seed)
                    .with(RunSettings.LEARNING_RATE, rate));
  }

  /** Whether all surrogates stand in pairs: others are no characters. */
  private static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  @Property(tries = 200)
  void whatIsWrittenIsReadAsTheSame(@ForAll("settings") Settings settings) throws IOException {
    var file = Files.createTempFile("config", ".toml");
    try {
      Files.writeString(file, ConfigFile.write(settings, "A comment."));
      var read =
          Settings.defaults(RunSettings.ALL)
              .with(ConfigFile.read(RunSettings.ALL, file, "config.toml"));
      for (var setting : RunSettings.ALL) {
        assertEquals(settings.text(setting), read.text(setting), setting.flag());
      }
    } finally {
      Files.delete(file);
    }
  }

  private Settings read(String toml) throws IOException {
    var file = Files.writeString(folder.resolve("run.toml"), toml);
    return Settings.defaults(RunSettings.ALL)
        .with(ConfigFile.read(RunSettings.ALL, file, "run.toml"));
  }
}
