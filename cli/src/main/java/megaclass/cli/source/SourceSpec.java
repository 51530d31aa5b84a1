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

  /** Images, see {@link ImagePlace}. */
  record Images(ImagePlace place, String path, ImageChoice choice) implements SourceSpec {
    @Override
    public String name() {
      return stem(path.replaceFirst("[/\\\\]+$", ""));
    }

    @Override
    public String toString() {
      return path;
    }
  }

  /** What a path to images names. */
  enum ImagePlace {
    /** A folder with a folder for each class. */
    FOLDER,
    /** A file with a path and a label in each line. */
    LIST,
    /** A training set of InsightFace. */
    RECORDS,
    /** A verification set of InsightFace. */
    PAIRS
  }

  /** Start of the text of {@link Lemmas}. */
  String LEMMAS = "lemmas:";

  /** End of the names of files of rows. */
  String ROWS = ".npy";

  /** Ends of the names of text files. */
  List<String> TEXT_SUFFIXES = List.of(".tsv", ".txt", ".tsv.gz", ".txt.gz");

  /** The shape of the images of InsightFace. */
  String FACE_SHAPE = "3x112x112";

  /** The name of its converted files, without {@code -train.mcd}. */
  String name();

  /** Reads the settings {@code source} and {@code labels} when nothing is said about images. */
  static SourceSpec parse(String source, String labels) {
    return parse(source, labels, ImageChoice.NONE);
  }

  /**
   * Reads the settings {@code source} and {@code labels}.
   *
   * @param images how images are read; a folder is one of images if they have a shape
   * @throws IllegalArgumentException with the choices there are
   */
  static SourceSpec parse(String source, String labels, ImageChoice images) {
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
    return images(source, lower, images);
  }

  private static SourceSpec images(String source, String lower, ImageChoice given) {
    var faces = given.shape().isEmpty() ? given.withShape(FACE_SHAPE) : given;
    if (lower.endsWith(".rec")) {
      return new Images(ImagePlace.RECORDS, source, faces);
    }
    if (lower.endsWith(".bin")) {
      return new Images(ImagePlace.PAIRS, source, faces);
    }
    boolean list = lower.endsWith(".lst");
    if (!given.shape().isEmpty()) {
      return new Images(list ? ImagePlace.LIST : ImagePlace.FOLDER, source, given);
    }
    if (list) {
      throw new IllegalArgumentException(
          "the images of %s need a shape; give one, as in --image 3x112x112".formatted(source));
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
          FOLDER --image CxHxW            images, in a folder for each class
          FILE.lst --image CxHxW          a path of an image, a tab and a label in each line
          FILE.rec, FILE.bin              a training or verification set of InsightFace
          lemmas:GROUP:ARTIFACT:VERSION   a dictionary in a Maven artifact, e.g. \
        lemmas:org.carrot2:morfologik-polish:2.1.9\
        """
            .formatted(source));
  }

  private static String stem(String file) {
    String name = file.substring(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
    return name.replaceFirst("(\\.tsv|\\.txt|\\.npy|\\.lst|\\.rec|\\.bin)(\\.gz)?$", "");
  }
}
