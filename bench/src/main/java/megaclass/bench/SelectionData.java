// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A data set on which ways to select classes are compared, with the settings that all of them
 * share: those at which exact softmax does well.
 */
enum SelectionData {
  PLANTED_100K("planted-100k", "Planted classes, 100 000 in families", 100_000, 1),
  PLANTED_1M("planted-1m", "Planted classes, 1 000 000 in families", 1_000_000, 1),
  LEMMAS("lemmas", "Polish lemmas", 315_689, 0.03),
  GEONAMES("geonames", "Names of places", 93_210, 0.5),
  BIBLE("bible", "Bible verses", 31_102, 1);

  /** Samples a step, everywhere. */
  static final int BATCH_SIZE = 256;

  private final String text;
  private final String title;
  private final int numClasses;
  private final double epochs;

  SelectionData(String text, String title, int numClasses, double epochs) {
    this.text = text;
    this.title = title;
    this.numClasses = numClasses;
    this.epochs = epochs;
  }

  /**
   * The set that a command or a result file names.
   *
   * @throws IllegalArgumentException with the choices there are
   */
  static SelectionData of(String text) {
    return Stream.of(values())
        .filter(data -> data.text.equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "there is no data set \"%s\"; expected one of %s".formatted(text, names())));
  }

  private static String names() {
    return Stream.of(values()).map(SelectionData::toString).collect(Collectors.joining(", "));
  }

  /** As a heading. */
  String title() {
    return title;
  }

  int numClasses() {
    return numClasses;
  }

  /** Passes over the training examples. */
  double epochs() {
    return epochs;
  }

  /** The first one is plain cross entropy over cosines; the others have a margin. */
  List<String> losses() {
    String crossEntropy = "normsoftmax(scale=32)";
    return switch (this) {
      case LEMMAS, GEONAMES, PLANTED_1M -> List.of(crossEntropy);
      case PLANTED_100K, BIBLE ->
          List.of(
              crossEntropy,
              "arcface(scale=32, margin=0.2)",
              "cosface(scale=32, margin=0.15)",
              "dsoftmax(scale=32, d=0.9)");
    };
  }

  /** Flags of {@code megaclass train} that all runs have, beside those of a cell. */
  List<String> settings() {
    var settings = new ArrayList<>(ownSettings());
    settings.addAll(
        List.of(
            "--batch-size=" + BATCH_SIZE,
            "--checkpoint-every=off",
            "--evaluate-times=3",
            "--evaluate-examples=1000",
            "--evaluate-final-examples=20000",
            "--k=5"));
    return settings;
  }

  private List<String> ownSettings() {
    return switch (this) {
      case PLANTED_100K, PLANTED_1M ->
          List.of(
              "--initialisation=random", // class means would have learned it all
              "--optimizer=sgd(momentum=0.9)",
              "--learning-rate=10");
      case LEMMAS ->
          List.of(
              "--backbone=bag(chars=2-6, words=1, buckets=1048576, dropout=0.3)",
              "--dim=64",
              "--optimizer=adagrad",
              "--learning-rate=0.01",
              "--backbone-learning-rate=0.01",
              "--neighbourhood=32");
      case GEONAMES ->
          List.of(
              "--backbone=bag(chars=2-5, words=1, buckets=1048576, dropout=0.1)",
              "--dim=128",
              "--optimizer=adagrad",
              "--learning-rate=0.01",
              "--backbone-learning-rate=0.03");
      case BIBLE ->
          List.of(
              "--backbone=bag(chars=3-5, words=1, buckets=262144, dropout=0.3)",
              "--dim=64",
              "--optimizer=adagrad",
              "--learning-rate=0.03",
              "--backbone-learning-rate=0.03");
    };
  }

  /** The name in commands, result files and names of files. */
  @Override
  public String toString() {
    return text;
  }
}
