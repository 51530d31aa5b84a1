// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.util.Arrays;

/**
 * Turns labels into class ids and texts that follow each other with the same bytes into one example
 * with all their classes: a form with several lemmas, a line that stands twice. Dense rows and
 * images pass as they are. Call {@link #flush} after the last example.
 */
final class MergingSink implements ExampleSource.Sink {
  /**
   * Takes examples with class ids: at least one, distinct. The arrays are read in the call only.
   */
  interface Target {
    void add(byte[] utf8, int... classIds);

    void add(float[] row, int... classIds);

    void add(byte[] pixels, String name, int... classIds);
  }

  private static final byte[] NOTHING = {};

  private final Labels.Builder labels;
  private final Target target;
  private byte[] text = NOTHING;
  private int[] classIds = {};
  private long merged;

  MergingSink(Labels.Builder labels, Target target) {
    this.labels = labels;
    this.target = target;
  }

  /** How many texts were merged into the one before them. */
  long merged() {
    return merged;
  }

  @Override
  public void text(byte[] utf8, byte[]... labelsOfExample) {
    if (classIds.length > 0) {
      if (Arrays.equals(text, utf8)) {
        merged++;
      } else {
        flush();
      }
    }
    text = utf8;
    addClassIds(labelsOfExample);
  }

  @Override
  public void row(float[] features, byte[]... labelsOfExample) {
    addClassIds(labelsOfExample);
    target.add(features, classIds);
    classIds = new int[0];
  }

  @Override
  public void image(byte[] pixels, String name, byte[]... labelsOfExample) {
    addClassIds(labelsOfExample);
    target.add(pixels, name, classIds);
    classIds = new int[0];
  }

  void flush() {
    if (classIds.length > 0) {
      target.add(text, classIds);
      classIds = new int[0];
    }
  }

  private void addClassIds(byte[][] labelsOfExample) {
    for (var label : labelsOfExample) {
      int id = labels.add(label);
      if (Arrays.stream(classIds).noneMatch(known -> known == id)) {
        classIds = Arrays.copyOf(classIds, classIds.length + 1);
        classIds[classIds.length - 1] = id;
      }
    }
  }
}
