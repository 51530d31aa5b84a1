// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import megaclass.data.ExampleSource;
import megaclass.data.FeatureKind;
import megaclass.internal.InvalidFileException;
import morfologik.stemming.Dictionary;
import morfologik.stemming.DictionaryLookup;
import morfologik.stemming.WordData;
import org.jspecify.annotations.Nullable;

/**
 * The dictionary of a language as a classification problem: the text is an inflected form, its
 * classes are the lemmas it belongs to. Reads the morfologik dictionaries that lie in a jar, a
 * {@code .dict} with its {@code .info} beside it. Forms come in the order of their bytes, so that
 * all lemmas of a form follow each other.
 */
public final class LemmaDictionary implements ExampleSource {
  private static final String DICTIONARY_SUFFIX = ".dict";

  /** Dictionaries that lead from lemma and tag to form. */
  private static final String SYNTHESIS_SUFFIX = "_synth.dict";

  private final Path jar;
  private final String entry;
  private final String description;
  private final Dictionary dictionary;

  private LemmaDictionary(Path jar, String entry, String description) {
    this.jar = jar;
    this.entry = entry;
    this.description = description;
    this.dictionary = read(jar, entry);
  }

  /**
   * Opens a dictionary.
   *
   * @param jar file that holds it
   * @param wanted path of the {@code .dict} in the jar; null for the only one there
   * @param description where the jar comes from
   * @throws InvalidFileException if the jar or the dictionary cannot be read, or there are several
   */
  public static LemmaDictionary open(Path jar, @Nullable String wanted, String description) {
    var entries = dictionaries(jar);
    if (wanted != null && !entries.contains(wanted)) {
      throw new InvalidFileException(
          jar, "has no dictionary " + wanted + "; it has " + String.join(", ", entries));
    }
    if (wanted == null && entries.size() != 1) {
      throw new InvalidFileException(
          jar,
          entries.isEmpty()
              ? "has no dictionary (a .dict file with its .info beside it)"
              : "has several dictionaries: "
                  + String.join(", ", entries)
                  + "; name one of them behind a \"!\" at the end of the source");
    }
    return new LemmaDictionary(jar, wanted == null ? entries.getFirst() : wanted, description);
  }

  @Override
  public FeatureKind kind() {
    return FeatureKind.TEXT;
  }

  @Override
  public int featureDim() {
    return 0;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void forEach(Sink sink) {
    for (WordData word : new DictionaryLookup(dictionary)) {
      var lemma = word.getStem();
      if (lemma != null && !lemma.isEmpty()) {
        sink.text(word.getWord().toString().getBytes(UTF_8), lemma.toString().getBytes(UTF_8));
      }
    }
  }

  @Override
  public String toString() {
    return jar + "!" + entry;
  }

  private static List<String> dictionaries(Path jar) {
    try (var zip = new JarFile(jar.toFile())) {
      var all =
          zip.stream()
              .map(ZipEntry::getName)
              .filter(name -> name.endsWith(DICTIONARY_SUFFIX))
              .filter(name -> zip.getEntry(info(name)) != null)
              .sorted()
              .toList();
      var analysis = all.stream().filter(name -> !name.endsWith(SYNTHESIS_SUFFIX)).toList();
      return analysis.isEmpty() ? all : analysis;
    } catch (IOException e) {
      throw new InvalidFileException(jar, e);
    }
  }

  private static Dictionary read(Path jar, String entry) {
    try (var zip = new ZipFile(jar.toFile());
        var automaton = zip.getInputStream(zip.getEntry(entry));
        var info = zip.getInputStream(zip.getEntry(info(entry)))) {
      return Dictionary.read(automaton, info);
    } catch (IOException e) {
      throw new InvalidFileException(jar, e);
    }
  }

  private static String info(String dictionary) {
    return dictionary.substring(0, dictionary.length() - DICTIONARY_SUFFIX.length()) + ".info";
  }
}
