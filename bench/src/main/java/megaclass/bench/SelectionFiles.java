// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files that the comparison of selectors trains and tests on.
 *
 * @param root the folder of the repository, in which {@code megaclass} lies
 * @param geonames the table of places, as GeoNames publishes it; null when it is not given
 * @param bible the folder of translations; null when it is not given
 */
record SelectionFiles(Path root, @Nullable Path geonames, @Nullable Path bible) {
  /** Below the root; git ignores it. */
  private static final String FOLDER = "data/selection/";

  /** Numbers of the planted sets, at which exact softmax finds some nine in ten. */
  private static final List<String> PLANTED =
      List.of("--dim=64", "--examples-per-class=3", "--noise=0.5", "--spread=0.5", "--seed=42");

  /** The training file of a set, relative to the root. */
  static String train(SelectionData data) {
    return FOLDER + data + "-train.mcd";
  }

  /** Its test file. */
  static String test(SelectionData data) {
    return FOLDER + data + "-test.mcd";
  }

  /**
   * Complains about data that was not given, before anything is measured.
   *
   * @throws IllegalArgumentException with the flag that gives it
   */
  void check(SelectionData data) {
    switch (data) {
      case GEONAMES -> given(geonames, "--geonames cities500.txt");
      case BIBLE -> given(bible, "--bible FOLDER");
      case LEMMAS, PLANTED_100K, PLANTED_1M -> {} // made, or fetched
    }
  }

  /** Makes both files anew: that takes seconds, and they can never be those of an old version. */
  void make(SelectionData data) {
    switch (data) {
      case PLANTED_100K, PLANTED_1M -> plant(data);
      case LEMMAS ->
          launch("convert", "lemmas:org.carrot2:morfologik-polish:2.1.9", train(data), held(data));
      case GEONAMES -> {
        Path names = path(data + ".tsv");
        PlaceNames.convert(given(geonames, "--geonames cities500.txt"), names);
        launch("convert", FOLDER + data + ".tsv", train(data), held(data));
      }
      case BIBLE -> {
        BibleVerses.convert(
            given(bible, "--bible FOLDER"), path("bible-train.tsv"), path("bible-test.tsv"));
        launch("convert", FOLDER + "bible-train.tsv", train(data));
        launch("convert", FOLDER + "bible-test.tsv", test(data), "--classes-of=" + train(data));
      }
    }
  }

  private void plant(SelectionData data) {
    var words = new ArrayList<>(List.of("synth", train(data), held(data)));
    words.add("--num-classes=" + data.numClasses());
    words.add("--test-examples-per-class=1");
    words.addAll(PLANTED);
    ChildJvm.launch(root, words);
  }

  private void launch(String... words) {
    ChildJvm.launch(root, List.of(words));
  }

  private static String held(SelectionData data) {
    return "--test=" + test(data);
  }

  private Path path(String name) {
    return root.resolve(FOLDER + name);
  }

  private static Path given(@Nullable Path path, String flag) {
    if (path == null) {
      throw new IllegalArgumentException("this data set is not fetched: give it with " + flag);
    }
    return path;
  }
}
