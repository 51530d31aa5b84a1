// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;
import megaclass.internal.Hash;
import megaclass.internal.LittleEndian;
import org.jspecify.annotations.Nullable;

/**
 * Examples with one or more class ids each: a mapped {@code .mcd} file, a set in memory, or a view
 * of one of these.
 *
 * <p>Read-only and thread-safe. The set that was opened or made owns its memory and must be closed;
 * views made by {@link #split} end with it, closing them does nothing. Nothing may be read after
 * the owner is closed.
 */
public final class Dataset implements AutoCloseable {
  /** As other descriptions, it stands in a sentence where a file name could. */
  private static final String IN_MEMORY = "data in memory";

  private final ExampleStore store;
  private final @Nullable ExampleSubset subset;
  private final String description;
  private final String source;
  private long @Nullable [] classCounts;

  private Dataset(
      ExampleStore store, @Nullable ExampleSubset subset, String description, String source) {
    this.store = store;
    this.subset = subset;
    this.description = description;
    this.source = source;
  }

  /**
   * Maps a {@code .mcd} file and verifies all of its bytes.
   *
   * @throws java.io.UncheckedIOException with one sentence that starts with the file, if it is
   *     missing, not a data file, truncated, damaged or of a newer version
   */
  public static Dataset open(Path file) {
    var opened = ExampleStore.open(file);
    return new Dataset(
        opened.store(), null, String.valueOf(file.getFileName()), opened.meta().source());
  }

  /**
   * A small set of dense rows in memory. Class ids follow the first appearance of each label.
   *
   * @param features (examples, dim), finite
   * @param labels (examples)
   */
  public static Dataset of(float[][] features, String[] labels) {
    requireSameCount(features.length, labels.length);
    int dim = features.length == 0 ? 0 : features[0].length;
    try (var dictionary = new Labels.Builder();
        var builder = new ExampleStore.Builder(Layout.dense(dim), dictionary)) {
      for (int i = 0; i < labels.length; i++) {
        builder.add(features[i], dictionary.add(labels[i]));
      }
      return of(builder.build(), IN_MEMORY);
    }
  }

  /**
   * A small set of texts in memory. Class ids follow the first appearance of each label.
   *
   * @param texts (examples)
   * @param labels (examples)
   */
  public static Dataset of(String[] texts, String[] labels) {
    requireSameCount(texts.length, labels.length);
    try (var dictionary = new Labels.Builder();
        var builder = new ExampleStore.Builder(Layout.TEXT, dictionary)) {
      for (int i = 0; i < labels.length; i++) {
        builder.add(texts[i].getBytes(UTF_8), dictionary.add(labels[i]));
      }
      return of(builder.build(), IN_MEMORY);
    }
  }

  /**
   * A small set of images in memory. Class ids follow the first appearance of each label.
   *
   * @param pixels (examples, C, H, W) bytes
   * @param labels (examples)
   */
  public static Dataset ofImages(ImageShape shape, byte[][] pixels, String[] labels) {
    requireSameCount(pixels.length, labels.length);
    try (var dictionary = new Labels.Builder();
        var builder = new ExampleStore.Builder(Layout.images(shape), dictionary)) {
      for (int i = 0; i < labels.length; i++) {
        builder.add(pixels[i], "", dictionary.add(labels[i]));
      }
      return of(builder.build(), IN_MEMORY);
    }
  }

  /**
   * Reads a source into memory. Texts that follow each other with the same bytes become one example
   * with all their classes, as in {@link Conversion}.
   *
   * @param known a dictionary whose class ids are used; unknown labels are added to it. It stays
   *     the caller's.
   */
  public static Dataset read(ExampleSource source, Labels.Builder known) {
    try (var builder = new ExampleStore.Builder(Layout.of(source), known)) {
      source.addLabels(known);
      var merging = new MergingSink(known, builder);
      source.forEach(merging);
      merging.flush();
      return of(builder.build(), source.description());
    }
  }

  /** Makes planted classes in memory, on all cores; the same set for the same settings. */
  public static Dataset synthetic(PlantedClasses spec) {
    return of(new PlantedExamples(spec).store(), spec.toString());
  }

  static Dataset of(ExampleStore store, String description) {
    return new Dataset(store, null, description, description);
  }

  /** How many examples there are. */
  public long numExamples() {
    return subset == null ? store.numExamples() : subset.size();
  }

  /** How many classes the labels name, also those that no example of this set belongs to. */
  public int numClasses() {
    return store.labels().size();
  }

  /** What the features are. */
  public FeatureKind kind() {
    return store.layout().kind();
  }

  /** DENSE: floats a row. Otherwise 0. */
  public int featureDim() {
    return store.layout().featureDim();
  }

  /** IMAGE: the shape of every image. */
  public ImageShape imageShape() {
    return store.layout().imageShape();
  }

  /** Class id to label and back; the same object for all views of a set. */
  public Labels labels() {
    return store.labels();
  }

  /** How many classes an example belongs to, at least 1. */
  public int numTargets(long example) {
    return store.numTargets(stored(example));
  }

  /** The class id of target {@code i} in [0, numTargets) of an example; they are distinct. */
  public int target(long example, int i) {
    return store.target(stored(example), i);
  }

  /** How many examples of this set belong to a class. The first call counts all classes. */
  public long classCount(int classId) {
    return counts()[classId];
  }

  /** (numClasses): how many examples of this set belong to each class. A copy. */
  public long[] classCounts() {
    return counts().clone();
  }

  /** TEXT: the UTF-8 bytes of an example, read-only. */
  public MemorySegment text(long example) {
    return textBytes().asSlice(textOffset(example), textLength(example));
  }

  /** TEXT: the bytes of all examples of the underlying set, read-only, for {@link #textOffset}. */
  public MemorySegment textBytes() {
    require(FeatureKind.TEXT);
    return store.features();
  }

  /** TEXT: where the bytes of an example start in {@link #textBytes}. */
  public long textOffset(long example) {
    return store.textOffset(stored(example));
  }

  /** TEXT: how many bytes an example has. */
  public int textLength(long example) {
    long at = stored(example);
    return (int) (store.textOffset(at + 1) - store.textOffset(at));
  }

  /** DENSE: a copy of the features of an example, (featureDim). */
  public float[] features(long example) {
    var into = new float[featureDim()];
    MemorySegment.copy(rows(), LittleEndian.FLOAT, rowOffset(example), into, 0, into.length);
    return into;
  }

  /** DENSE: the row of an example, (featureDim) float32, read-only. */
  public MemorySegment row(long example) {
    return rows().asSlice(rowOffset(example), store.layout().exampleBytes());
  }

  /**
   * DENSE: the rows of all examples of the underlying set, (rows, featureDim) float32 little-endian
   * without gaps, starting at a multiple of 64 bytes, read-only, for {@link #rowOffset}.
   */
  public MemorySegment rows() {
    require(FeatureKind.DENSE);
    return store.features();
  }

  /** DENSE: where the row of an example starts in {@link #rows}, in bytes. */
  public long rowOffset(long example) {
    return stored(example) * store.layout().exampleBytes();
  }

  /**
   * IMAGE: the pixels of all images of the underlying set, (images, C, H, W) bytes without gaps,
   * read-only, for {@link #pixelOffset}.
   */
  public MemorySegment pixels() {
    require(FeatureKind.IMAGE);
    return store.features();
  }

  /** IMAGE: where the pixels of an example start in {@link #pixels}. */
  public long pixelOffset(long example) {
    return stored(example) * store.layout().exampleBytes();
  }

  /** IMAGE: a copy of the pixels of an example, (C, H, W) bytes. */
  public byte[] image(long example) {
    require(FeatureKind.IMAGE);
    return bytes(example);
  }

  /** What an example is called, such as the path of an image; its number if it has no name. */
  public String name(long example) {
    var name = store.names().name(stored(example));
    return name.isEmpty() ? String.valueOf(example) : name;
  }

  /**
   * Holds examples out: {@code split(testShare, seed, 2)}.
   *
   * @param testShare in [0, 1)
   */
  public Split split(double testShare, long seed) {
    return split(testShare, seed, 2);
  }

  /**
   * Holds examples out. Which ones depends on their own bytes and the seed alone, not on their
   * order, and equal examples stay together.
   *
   * @param testShare share of the qualifying examples that is held out, in [0, 1)
   * @param minExamplesPerClass an example qualifies if each of its classes has at least so many
   *     examples in this set
   */
  public Split split(double testShare, long seed, int minExamplesPerClass) {
    var rule = new SplitRule(testShare, minExamplesPerClass, seed);
    var counts = counts();
    try (var train = new ExampleSubset.Builder(store.numExamples());
        var test = new ExampleSubset.Builder(store.numExamples())) {
      for (long example = 0; example < numExamples(); example++) {
        boolean held = rule.drawn(hash(example)) && qualifies(example, counts, rule);
        (held ? test : train).add(stored(example));
      }
      return new Split(
          view(train.build(store.arena()), "train part of " + rule),
          view(test.build(store.arena()), "test part of " + rule));
    }
  }

  /** Writes the examples of this set to a {@code .mcd} file, with the labels of all classes. */
  public void save(Path target) {
    try (var labels = new Labels.Builder(labels());
        var writer = DatasetWriter.of(store.layout(), target, labels)) {
      for (long example = 0; example < numExamples(); example++) {
        var classIds = new int[numTargets(example)];
        for (int i = 0; i < classIds.length; i++) {
          classIds[i] = target(example, i);
        }
        switch (kind()) {
          case DENSE -> writer.add(features(example), classIds);
          case TEXT -> writer.add(bytes(example), classIds);
          case IMAGE -> writer.add(bytes(example), store.names().name(stored(example)), classIds);
        }
      }
      writer.source(source).finish();
    }
  }

  /** A hash of labels, targets and features, for provenance: equal content, equal hash. */
  public long contentHash() {
    return subset == null ? store.contentHash() : Hash.key(store.contentHash(), subset.hash());
  }

  /** Where the examples come from: a file name, or how they were made. */
  public String description() {
    return description;
  }

  /**
   * What the examples were made from and how, as its writer put it into the file; for other sets
   * the same as {@link #description}.
   */
  public String source() {
    return source;
  }

  /** Frees or unmaps the memory, also that of all views. Does nothing for a view. */
  @Override
  public void close() {
    if (subset == null) {
      store.arena().close();
    }
  }

  @Override
  public String toString() {
    return description + ": " + numExamples() + " examples, " + numClasses() + " classes";
  }

  /** The number of an example in the underlying set. */
  private long stored(long example) {
    return subset == null
        ? Objects.checkIndex(example, store.numExamples())
        : subset.example(example);
  }

  /** The features of an example as they lie in memory. */
  private MemorySegment memory(long example) {
    return kind() == FeatureKind.TEXT
        ? text(example)
        : store.features().asSlice(rowOffset(example), store.layout().exampleBytes());
  }

  private byte[] bytes(long example) {
    return memory(example).toArray(ValueLayout.JAVA_BYTE);
  }

  private long hash(long example) {
    var features = memory(example);
    return Hash.of(features, 0, features.byteSize());
  }

  private Dataset view(ExampleSubset examples, String part) {
    return new Dataset(store, examples, description + ", " + part, source + ", " + part);
  }

  private boolean qualifies(long example, long[] counts, SplitRule rule) {
    for (int i = 0; i < numTargets(example); i++) {
      if (counts[target(example, i)] < rule.minExamplesPerClass()) {
        return false;
      }
    }
    return true;
  }

  private synchronized long[] counts() {
    if (classCounts == null) {
      classCounts = new long[numClasses()];
      for (long example = 0; example < numExamples(); example++) {
        for (int i = 0; i < numTargets(example); i++) {
          classCounts[target(example, i)]++;
        }
      }
    }
    return classCounts;
  }

  private void require(FeatureKind wanted) {
    if (kind() != wanted) {
      throw new IllegalStateException(
          "the features of this data set are " + kind().inWords() + ", not " + wanted.inWords());
    }
  }

  private static void requireSameCount(int features, int labels) {
    if (features != labels) {
      throw new IllegalArgumentException(
          "got " + features + " examples but " + labels + " labels; give one label an example");
    }
  }
}
