// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import megaclass.internal.Check;
import megaclass.internal.SectionFile;
import megaclass.internal.SectionOutput;
import org.jspecify.annotations.Nullable;

/**
 * Streams examples into a {@code .mcd} file, which may be larger than memory: what is kept grows
 * with the classes only. The file gets its name in {@link #finish}; a writer closed before that
 * leaves nothing. Not thread-safe.
 */
public final class DatasetWriter implements MergingSink.Target, AutoCloseable {
  private final Layout layout;
  private final Labels.Builder labels;
  private final boolean ownsLabels;
  private final SectionFile.Writer file;
  private final SectionOutput features;
  private final SectionOutput targets;
  private final @Nullable SectionOutput textOffsets;

  /** Present from the first example with a name on. */
  private @Nullable NameOutput names;

  /** Present from the first example with several targets on. */
  private @Nullable SectionOutput targetOffsets;

  private String source = "";
  private long numExamples;
  private long numTargets;

  private DatasetWriter(Path target, Layout layout, Labels.@Nullable Builder sharedLabels) {
    this.layout = layout;
    this.file = new SectionFile.Writer(target, ExampleStore.FILE_KIND, ExampleStore.VERSION);
    this.ownsLabels = sharedLabels == null;
    this.labels = sharedLabels == null ? new Labels.Builder() : sharedLabels;
    boolean text = layout.kind() == FeatureKind.TEXT;
    this.features = file.section(ExampleStore.featureSection(layout.kind()));
    this.targets = file.section(ExampleStore.TARGETS);
    this.textOffsets = text ? file.section(ExampleStore.TEXT_OFFSETS) : null;
    if (textOffsets != null) {
      textOffsets.putLong(0);
    }
  }

  /** Starts a file of texts. */
  public static DatasetWriter text(Path target) {
    return new DatasetWriter(target, Layout.TEXT, null);
  }

  /**
   * Starts a file of texts whose class ids come from a dictionary shared with other files. The
   * dictionary may grow until {@link #finish} and stays the caller's.
   */
  public static DatasetWriter text(Path target, Labels.Builder labels) {
    return new DatasetWriter(target, Layout.TEXT, labels);
  }

  /** Starts a file of rows of {@code featureDim} floats. */
  public static DatasetWriter dense(Path target, int featureDim) {
    Check.positive("featureDim", featureDim);
    return new DatasetWriter(target, Layout.dense(featureDim), null);
  }

  /** Starts a file of rows whose class ids come from a shared dictionary, as in {@link #text}. */
  public static DatasetWriter dense(Path target, int featureDim, Labels.Builder labels) {
    Check.positive("featureDim", featureDim);
    return new DatasetWriter(target, Layout.dense(featureDim), labels);
  }

  /** Starts a file of images of one shape. */
  public static DatasetWriter images(Path target, ImageShape shape) {
    return new DatasetWriter(target, Layout.images(shape), null);
  }

  /** Starts a file of images whose class ids come from a shared dictionary, as in {@link #text}. */
  public static DatasetWriter images(Path target, ImageShape shape, Labels.Builder labels) {
    return new DatasetWriter(target, Layout.images(shape), labels);
  }

  static DatasetWriter of(Layout layout, Path target, Labels.Builder labels) {
    return new DatasetWriter(target, layout, labels);
  }

  /** Notes in the file where its examples come from. */
  public DatasetWriter source(String description) {
    this.source = description;
    return this;
  }

  /** The dictionary that gives the class ids. */
  public Labels.Builder labels() {
    return labels;
  }

  /** How many examples were added. */
  public long numExamples() {
    return numExamples;
  }

  /** Adds a text with its classes. */
  public void add(String text, String... labelsOfExample) {
    add(text.getBytes(UTF_8), classIds(labelsOfExample));
  }

  /** Adds a row, (featureDim), with its classes. */
  public void add(float[] row, String... labelsOfExample) {
    add(row, classIds(labelsOfExample));
  }

  /** Adds an image, (C, H, W) bytes, with its name, which may be empty, and its classes. */
  public void add(byte[] pixels, String name, String... labelsOfExample) {
    add(pixels, name, classIds(labelsOfExample));
  }

  /**
   * Adds a text with its classes.
   *
   * @param utf8 valid UTF-8
   * @param classIds one or more distinct ids of {@link #labels}
   */
  @Override
  public void add(byte[] utf8, int... classIds) {
    if (textOffsets == null) {
      throw takesNo(FeatureKind.TEXT);
    }
    requireClassIds(classIds);
    features.write(utf8);
    textOffsets.putLong(features.length());
    addTargets(classIds);
  }

  /**
   * Adds a row with its classes.
   *
   * @param row (featureDim), finite
   * @param classIds one or more distinct ids of {@link #labels}
   */
  @Override
  public void add(float[] row, int... classIds) {
    if (layout.kind() != FeatureKind.DENSE) {
      throw takesNo(FeatureKind.DENSE);
    }
    Rows.requireFinite(row, layout.featureDim(), numExamples);
    requireClassIds(classIds);
    features.putFloats(row);
    addTargets(classIds);
  }

  /**
   * Adds an image with its classes.
   *
   * @param pixels (C, H, W) bytes from 0, black, to 255
   * @param name where it comes from; may be empty
   * @param classIds one or more distinct ids of {@link #labels}
   */
  @Override
  public void add(byte[] pixels, String name, int... classIds) {
    if (layout.image() == null) {
      throw takesNo(FeatureKind.IMAGE);
    }
    layout.image().requirePixels(pixels, numExamples);
    requireClassIds(classIds);
    features.write(pixels);
    if (names == null && !name.isEmpty()) {
      names = NameOutput.start(file, numExamples);
    }
    if (names != null) {
      names.add(name);
    }
    addTargets(classIds);
  }

  private IllegalStateException takesNo(FeatureKind given) {
    return new IllegalStateException(
        "this file takes " + layout.kind().inWords() + ", not " + given.inWords());
  }

  /** Writes what is left and gives the file its name. */
  public void finish() {
    features.close();
    targets.close();
    if (textOffsets != null) {
      textOffsets.close();
    }
    if (targetOffsets != null) {
      targetOffsets.close();
    }
    if (names != null) {
      names.close();
    }
    labels.writeTo(file);
    var meta = new ExampleStore.Meta(layout, numExamples, source);
    file.section(ExampleStore.META, meta.bytes());
    file.finish();
  }

  /** Ends the writer; the file is removed unless it was finished. */
  @Override
  public void close() {
    if (ownsLabels) {
      labels.close();
    }
    file.close();
  }

  private int[] classIds(String[] labelsOfExample) {
    var classIds = new int[labelsOfExample.length];
    for (int i = 0; i < classIds.length; i++) {
      classIds[i] = labels.add(labelsOfExample[i]);
    }
    return classIds;
  }

  private void requireClassIds(int[] classIds) {
    if (classIds.length == 0) {
      throw new IllegalArgumentException("example " + numExamples + " has no class");
    }
    for (int i = 0; i < classIds.length; i++) {
      Check.inRange("class id of example " + numExamples, classIds[i], 0, labels.size() - 1);
      for (int j = 0; j < i; j++) {
        if (classIds[i] == classIds[j]) {
          throw new IllegalArgumentException(
              "example " + numExamples + " has class " + classIds[i] + " twice");
        }
      }
    }
  }

  private void addTargets(int[] classIds) {
    if (classIds.length > 1 && targetOffsets == null) {
      targetOffsets = file.section(ExampleStore.TARGET_OFFSETS);
      for (long example = 0; example <= numExamples; example++) {
        targetOffsets.putLong(example);
      }
    }
    for (int classId : classIds) {
      targets.putInt(classId);
    }
    numExamples++;
    numTargets += classIds.length;
    if (targetOffsets != null) {
      targetOffsets.putLong(numTargets);
    }
  }

  /** The names of the examples: their bytes one after another, and where each starts. */
  private record NameOutput(SectionOutput bytes, SectionOutput offsets) {
    /** Those of the examples so far are empty. */
    static NameOutput start(SectionFile.Writer file, long numExamples) {
      var names =
          new NameOutput(
              file.section(ExampleStore.NAME_BYTES), file.section(ExampleStore.NAME_OFFSETS));
      for (long example = 0; example <= numExamples; example++) {
        names.offsets.putLong(0);
      }
      return names;
    }

    void add(String name) {
      bytes.write(name.getBytes(UTF_8));
      offsets.putLong(bytes.length());
    }

    void close() {
      bytes.close();
      offsets.close();
    }
  }
}
