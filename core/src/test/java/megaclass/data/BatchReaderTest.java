// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchReaderTest {
  @TempDir Path folder;

  @Property(tries = 100)
  void anEpochHasEveryExampleOnce(
      @ForAll @IntRange(min = 1, max = 300) int numExamples,
      @ForAll @IntRange(min = 1, max = 320) int batchSize,
      @ForAll @IntRange(min = 0, max = 3) int epoch) {
    try (var data = numbered(numExamples)) {
      var reader = new BatchReader(data, batchSize, 1, 7);
      assertEquals((numExamples + batchSize - 1) / batchSize, reader.stepsPerEpoch());
      var seen = new BitSet();
      int samples = 0;
      for (long i = 0; i < reader.stepsPerEpoch(); i++) {
        long step = epoch * reader.stepsPerEpoch() + i;
        assertEquals(epoch, reader.epoch(step));
        var batch = reader.batch(step);
        assertTrue(batch.size() == batchSize || i == reader.stepsPerEpoch() - 1);
        assertTrue(batch.size() >= 1 && batch.size() <= batchSize);
        assertEquals(batch.size(), batch.classIds().length);
        for (int s = 0; s < batch.size(); s++) {
          seen.set((int) batch.example(s));
          assertEquals(data.target(batch.example(s), 0), batch.classIds()[s]);
        }
        samples += batch.size();
      }
      assertEquals(numExamples, samples);
      assertEquals(numExamples, seen.cardinality());
    }
  }

  @Test
  void aStepGivesTheSameBatchWhenAskedAgain() {
    try (var data = numbered(100)) {
      var batch = new BatchReader(data, 32, 1, 5).batch(6);
      var again = new BatchReader(data, 32, 1, 5).batch(6);
      assertSame(data, batch.data());
      assertEquals(examples(batch), examples(again));
      assertArrayEquals(batch.classIds(), again.classIds());
      assertNotEquals(examples(batch), examples(new BatchReader(data, 32, 1, 6).batch(6)));
      assertNotEquals(examples(batch), examples(new BatchReader(data, 32, 1, 5).batch(2)));
    }
  }

  @Test
  void anExampleWithSeveralTargetsStandsForEachOfThemEquallyOften() {
    var file = folder.resolve("a.mcd");
    try (var writer = DatasetWriter.text(file)) {
      writer.add("one", "a");
      writer.add("three", "b", "a", "c");
      writer.finish();
    }
    try (var data = Dataset.open(file)) {
      var reader = new BatchReader(data, 2, 1, 1);
      var counts = new int[3];
      for (int epoch = 0; epoch < 3000; epoch++) {
        var batch = reader.batch(epoch);
        for (int i = 0; i < 2; i++) {
          if (batch.example(i) == 0) {
            assertEquals(0, batch.classIds()[i]);
          } else {
            counts[batch.classIds()[i]]++;
          }
        }
      }
      for (int count : counts) {
        assertEquals(1000, count, 100, Arrays.toString(counts));
      }
    }
  }

  @Test
  void badSettingsAreRefused() {
    try (var data = numbered(3)) {
      assertEquals(
          "batchSize must be at least 1, but was 0",
          assertThrows(IllegalArgumentException.class, () -> new BatchReader(data, 0, 1, 1))
              .getMessage());
      assertThrows(IndexOutOfBoundsException.class, () -> new BatchReader(data, 2, 1, 1).batch(-1));
      var none = data.split(0, 1).test();
      assertEquals(
          "number of examples must be at least 1, but was 0",
          assertThrows(IllegalArgumentException.class, () -> new BatchReader(none, 2, 1, 1))
              .getMessage());
    }
  }

  private static Dataset numbered(int numExamples) {
    var features = new float[numExamples][1];
    var labels = new String[numExamples];
    for (int i = 0; i < numExamples; i++) {
      features[i][0] = i;
      labels[i] = "label " + i % 7;
    }
    return Dataset.of(features, labels);
  }

  private static String examples(MiniBatch batch) {
    var examples = new long[batch.size()];
    for (int i = 0; i < examples.length; i++) {
      examples[i] = batch.example(i);
    }
    return Arrays.toString(examples);
  }
}
