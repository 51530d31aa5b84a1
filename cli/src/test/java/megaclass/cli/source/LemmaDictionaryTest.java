// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import megaclass.data.ExampleSource;
import megaclass.data.FeatureKind;
import megaclass.internal.InvalidFileException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LemmaDictionaryTest {
  @TempDir Path folder;

  @Test
  void everyFormComesWithItsLemmasOneAfterAnother() {
    var jar = folder.resolve("words.jar");
    DictionaryJar.write(
        jar,
        "pl/words.dict",
        List.of("kot;kot", "kota;kot", "mam;mama", "mam;mieć", "mieć;mieć", "żaba;żaba"));
    var source = LemmaDictionary.open(jar, null, "lemmas:g:words:1");
    assertEquals(FeatureKind.TEXT, source.kind());
    assertEquals(0, source.featureDim());
    assertEquals("lemmas:g:words:1", source.description());
    assertEquals(
        List.of("kot=kot", "kota=kot", "mam=mama", "mam=mieć", "mieć=mieć", "żaba=żaba"),
        pairs(source));
    assertEquals(pairs(source), pairs(source), "the second reading");
  }

  @Test
  void theDictionaryForSynthesisIsNotTaken() {
    var jar = folder.resolve("words.jar");
    DictionaryJar.write(jar, "a/x.dict", List.of("koty;kot"), "a/x_synth.dict", List.of("kot;x"));
    assertEquals(List.of("koty=kot"), pairs(LemmaDictionary.open(jar, null, "x")));
  }

  @Test
  void oneOfSeveralDictionariesIsTakenByName() {
    var jar = folder.resolve("words.jar");
    DictionaryJar.write(jar, "a/x.dict", List.of("koty;kot"), "a/y.dict", List.of("cats;cat"));
    assertEquals(List.of("cats=cat"), pairs(LemmaDictionary.open(jar, "a/y.dict", "x")));
    var several =
        assertThrows(InvalidFileException.class, () -> LemmaDictionary.open(jar, null, "x"));
    assertEquals(
        jar
            + ": has several dictionaries: a/x.dict, a/y.dict; name one of them behind a \"!\" at"
            + " the end of the source",
        several.getMessage());
    var unknown =
        assertThrows(InvalidFileException.class, () -> LemmaDictionary.open(jar, "z.dict", "x"));
    assertEquals(
        jar + ": has no dictionary z.dict; it has a/x.dict, a/y.dict", unknown.getMessage());
  }

  @Test
  void aJarWithoutADictionaryIsRefused() {
    var jar = folder.resolve("none.jar");
    DictionaryJar.write(jar);
    var e = assertThrows(InvalidFileException.class, () -> LemmaDictionary.open(jar, null, "x"));
    assertEquals(
        jar + ": has no dictionary (a .dict file with its .info beside it)", e.getMessage());
  }

  @Test
  void aMissingJarIsNamed() {
    var jar = folder.resolve("gone.jar");
    var e = assertThrows(InvalidFileException.class, () -> LemmaDictionary.open(jar, null, "x"));
    assertEquals(jar + ": no such file or folder", e.getMessage());
  }

  private static List<String> pairs(ExampleSource source) {
    var pairs = new ArrayList<String>();
    source.forEach(
        new ExampleSource.Sink() {
          @Override
          public void text(byte[] utf8, byte[]... labels) {
            for (var label : labels) {
              pairs.add(new String(utf8, UTF_8) + "=" + new String(label, UTF_8));
            }
          }

          @Override
          public void row(float[] features, byte[]... labels) {
            throw new AssertionError("lemmas are no rows");
          }

          @Override
          public void image(byte[] pixels, String name, byte[]... labels) {
            throw new AssertionError("lemmas are no images");
          }
        });
    return pairs;
  }
}
