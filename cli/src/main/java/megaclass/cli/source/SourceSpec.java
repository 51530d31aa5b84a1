// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.source;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Where examples come from, as the setting {@code source} says it. */
sealed interface SourceSpec {
  /**
   * The dictionary of a language in a Maven artifact, see {@link LemmaDictionary}.
   *
   * @param entry path of the dictionary in the jar; null for the only one
   */
  record Lemmas(MavenArtifact artifact, @Nullable String entry) implements SourceSpec {
    @Override
    public String name() {
      return artifact.artifactId() + "-" + artifact.version();
    }

    @Override
    public String toString() {
      return LEMMAS + artifact + (entry == null ? "" : "!" + entry);
    }
  }

  /** A file with a label, a tab and a text in each line. */
  record TextFile(String file) implements SourceSpec {
    @Override
    public String name() {
      return stem(file);
    }

    @Override
    public String toString() {
      return file;
    }
  }

  /** A file of rows and one of their labels. */
  record Rows(String features, String labels) implements SourceSpec {
    @Override
    public String name() {
      return stem(features);
    }

    @Override
    public String toString() {
      return features + " " + labels;
    }
  }

  /** Start of the text of {@link Lemmas}. */
  String LEMMAS = "lemmas:";

  /** End of the names of files of rows. */
  String ROWS = ".npy";

  /** Ends of the names of text files. */
  List<String> TEXT_SUFFIXES = List.of(".tsv", ".txt", ".tsv.gz", ".txt.gz");

  /** The name of its converted files, without {@code -train.mcd}. */
  String name();

  /**
   * Reads the settings {@code source} and {@code labels}.
   *
   * @throws IllegalArgumentException with the choices there are
   */
  static SourceSpec parse(String source, String labels) {
    String lower = source.toLowerCase(Locale.ROOT);
    if (source.startsWith(LEMMAS)) {
      return lemmas(source);
    }
    if (lower.endsWith(ROWS)) {
      if (labels.isEmpty()) {
        throw new IllegalArgumentException(
            "the rows of %s need labels; give a file with a label a line: %s labels.txt"
                .formatted(source, source));
      }
      return new Rows(source, labels);
    }
    if (TEXT_SUFFIXES.stream().anyMatch(lower::endsWith)) {
      return new TextFile(source);
    }
    throw unknown(source);
  }

  private static SourceSpec lemmas(String source) {
    String place = source.substring(LEMMAS.length());
    int mark = place.indexOf('!');
    var parts = (mark < 0 ? place : place.substring(0, mark)).split(":", -1);
    if (parts.length != 3 || List.of(parts).contains("")) {
      throw unknown(source);
    }
    var artifact = new MavenArtifact(parts[0], parts[1], parts[2]);
    return new Lemmas(artifact, mark < 0 ? null : place.substring(mark + 1));
  }

  private static IllegalArgumentException unknown(String source) {
    return new IllegalArgumentException(
        """
        cannot read the source "%s"; expected one of
          FILE.tsv                        a label, a tab and a text in each line; also .txt, .gz
          FILE.npy LABELS                 rows of numbers and a file with a label a line
          lemmas:GROUP:ARTIFACT:VERSION   a dictionary in a Maven artifact, e.g. \
        lemmas:org.carrot2:morfologik-polish:2.1.9\
        """
            .formatted(source));
  }

  private static String stem(String file) {
    String name = file.substring(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
    return name.replaceFirst("(\\.tsv|\\.txt|\\.npy)(\\.gz)?$", "");
  }
}
