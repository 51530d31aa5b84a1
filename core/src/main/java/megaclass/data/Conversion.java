// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import megaclass.internal.GrowingMemory;
import megaclass.internal.Hash;
import megaclass.internal.LittleEndian;

/**
 * Turns a source of examples into {@code .mcd} files, once, so that training maps them without
 * reading or parsing anything. Memory grows with the classes, not with the examples.
 *
 * <p>Texts that follow each other with the same bytes become one example with all their classes.
 * With a test share, the source is read twice: first to count the examples of each class, then to
 * write. Which examples are held out depends on their own bytes and the seed alone.
 *
 * @param testShare share of the qualifying examples that go to the test file, in [0, 1)
 * @param minExamplesPerClass an example qualifies if each of its classes has at least so many
 *     examples in the source
 * @param seed of the split
 */
public record Conversion(double testShare, int minExamplesPerClass, long seed) {
  /** Checks the settings. */
  public Conversion {
    new SplitRule(testShare, minExamplesPerClass, seed);
  }

  /** Holds out a tenth of the examples of classes with at least 3. */
  public static Conversion defaults() {
    return new Conversion(0.1, 3, 42);
  }

  /** These settings with another share of test examples. */
  public Conversion withTestShare(double testShare) {
    return new Conversion(testShare, minExamplesPerClass, seed);
  }

  /** These settings with another number of examples that a class must have to be tested. */
  public Conversion withMinExamplesPerClass(int minExamplesPerClass) {
    return new Conversion(testShare, minExamplesPerClass, seed);
  }

  /** These settings with another seed. */
  public Conversion withSeed(long seed) {
    return new Conversion(testShare, minExamplesPerClass, seed);
  }

  /**
   * What was written.
   *
   * @param merged texts that became one example with the text before them
   */
  public record Result(long trainExamples, long testExamples, int numClasses, long merged) {}

  /** Writes all of a source to one file. */
  public static Result whole(ExampleSource source, Path target) {
    try (var labels = new Labels.Builder()) {
      return whole(source, target, labels);
    }
  }

  /**
   * Writes all of a source to one file, with the class ids of a given dictionary, for instance that
   * of the training set. Labels it does not know are added to it; it stays the caller's.
   */
  public static Result whole(ExampleSource source, Path target, Labels.Builder labels) {
    source.addLabels(labels);
    try (var writer = writer(source, target, labels, source.description())) {
      long merged = pass(source, labels, writer);
      writer.finish();
      return new Result(writer.numExamples(), 0, labels.size(), merged);
    }
  }

  /** Writes a source to a training and a test file with the same class ids. */
  public Result split(ExampleSource source, Path train, Path test) {
    var rule = new SplitRule(testShare, minExamplesPerClass, seed);
    try (var labels = new Labels.Builder();
        var counts = new ClassCounts()) {
      source.addLabels(labels);
      long merged = pass(source, labels, counts);
      int numClasses = labels.size();
      try (var trainWriter = writer(source, train, labels, part(source, "train"));
          var testWriter = writer(source, test, labels, part(source, "test"))) {
        pass(source, labels, new Splitter(rule, counts, trainWriter, testWriter));
        requireSame(
            source, counts.numExamples, trainWriter.numExamples() + testWriter.numExamples());
        requireSame(source, numClasses, labels.size());
        trainWriter.finish();
        testWriter.finish();
        return new Result(trainWriter.numExamples(), testWriter.numExamples(), numClasses, merged);
      }
    }
  }

  /** What {@link Dataset#source} of the training or test file says: "train" or "test". */
  public String part(ExampleSource source, String part) {
    return source.description() + ", " + part + " part of " + this;
  }

  @Override
  public String toString() {
    return new SplitRule(testShare, minExamplesPerClass, seed).toString();
  }

  private static DatasetWriter writer(
      ExampleSource source, Path target, Labels.Builder labels, String madeFrom) {
    return DatasetWriter.of(Layout.of(source), target, labels).source(madeFrom);
  }

  private static long pass(ExampleSource source, Labels.Builder labels, MergingSink.Target target) {
    var merging = new MergingSink(labels, target);
    source.forEach(merging);
    merging.flush();
    return merging.merged();
  }

  private static void requireSame(ExampleSource source, long first, long second) {
    if (first != second) {
      throw new IllegalStateException(
          source.description() + " changed while it was converted; convert it again");
    }
  }

  /** Counts the examples of each class: eight bytes a class. */
  private static final class ClassCounts implements MergingSink.Target, AutoCloseable {
    private final GrowingMemory counts = new GrowingMemory();
    private long numExamples;

    long count(int classId) {
      long at = (long) classId * Long.BYTES;
      return at < counts.size() ? counts.getLong(at) : 0;
    }

    @Override
    public void add(byte[] utf8, int... classIds) {
      add(classIds);
    }

    @Override
    public void add(float[] row, int... classIds) {
      add(classIds);
    }

    @Override
    public void add(byte[] pixels, String name, int... classIds) {
      add(classIds);
    }

    private void add(int[] classIds) {
      numExamples++;
      for (int classId : classIds) {
        while (counts.size() <= (long) classId * Long.BYTES) {
          counts.appendLong(0);
        }
        counts.setLong((long) classId * Long.BYTES, count(classId) + 1);
      }
    }

    @Override
    public void close() {
      counts.close();
    }
  }

  /** Sends each example to one of two files. */
  private record Splitter(
      SplitRule rule, ClassCounts counts, DatasetWriter train, DatasetWriter test)
      implements MergingSink.Target {
    @Override
    public void add(byte[] utf8, int... classIds) {
      choose(Hash.of(utf8, 0, utf8.length), classIds).add(utf8, classIds);
    }

    @Override
    public void add(float[] row, int... classIds) {
      // The hash of the bytes in the file, the same as that of Dataset.split.
      var bytes = MemorySegment.ofArray(new byte[row.length * Float.BYTES]);
      MemorySegment.copy(row, 0, bytes, LittleEndian.FLOAT, 0, row.length);
      choose(Hash.of(bytes, 0, bytes.byteSize()), classIds).add(row, classIds);
    }

    @Override
    public void add(byte[] pixels, String name, int... classIds) {
      choose(Hash.of(pixels, 0, pixels.length), classIds).add(pixels, name, classIds);
    }

    private DatasetWriter choose(long hash, int[] classIds) {
      if (!rule.drawn(hash)) {
        return train;
      }
      for (int classId : classIds) {
        if (counts.count(classId) < rule.minExamplesPerClass()) {
          return train;
        }
      }
      return test;
    }
  }
}
