// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.cuda.DeviceSelection.Proposed;
import megaclass.internal.Hash;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.select.SelectorSpec;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Active classes of the device against the selectors of the core, and against a plain choice. */
class DeviceSelectionTest {
  private static final long SEED = 5;
  private static final long DRAW = 17;

  /** What a choice on the device gave. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  private record Chosen(int[] ids, int[] positions) {
    static Chosen of(Device device, DeviceSelection selection, int batch) {
      int numActive = selection.finish();
      return new Chosen(
          DeviceArrays.ints(device, selection.classIds(), numActive),
          DeviceArrays.ints(device, selection.targetPositions(), batch));
    }
  }

  /** A device with a choice that has begun. */
  private static final class Case implements AutoCloseable {
    final Device device = HostCuda.open();
    final HostCuda.Setting bothOrders = HostCuda.bothOrders();
    final DeviceSort sort = new DeviceSort(device);
    final DeviceSelection selection;
    final int[] targets;

    Case(int numClasses, int... targets) {
      this.targets = targets;
      selection = new DeviceSelection(device, numClasses, sort);
      selection.begin(targets, DeviceArrays.upload(device, targets));
    }

    Chosen finish() {
      return Chosen.of(device, selection, targets.length);
    }

    @Override
    public void close() {
      selection.close();
      sort.close();
      bothOrders.close();
      device.close();
    }
  }

  /** What a selector of the core chooses, when it looks at no embedding. */
  private static ActiveClasses chosenByCore(String spec, int numClasses, int[] targets) {
    try (var engine = Engine.start("scalar", 1);
        var weights = ClassWeights.allocate(numClasses, 1, false, RowMatrix.State.NONE);
        var shapes = new Embeddings(1, new Embeddings.Shape(1, false, false), engine);
        var selector =
            ClassSelector.of(
                SelectorSpec.parse(spec),
                new SelectionProblem(weights, false, 1, targets.length, SEED, engine))) {
      return selector.select(shapes, targets, DRAW);
    }
  }

  private static void assertSame(ActiveClasses expected, Chosen chosen) {
    int[] ids = IntStream.range(0, expected.numActive()).map(expected::classId).toArray();
    assertArrayEquals(ids, chosen.ids);
    for (int i = 0; i < chosen.positions.length; i++) {
      assertEquals(expected.targetPosition(i), chosen.positions[i], "target of sample " + i);
    }
  }

  private static int[] targets(int numClasses, int batch) {
    return new SplittableRandom(batch).ints(batch, 0, numClasses).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1.0",
    "2, 7, 0.1",
    "31, 7, 0.5",
    "32, 64, 0.9",
    "33, 1, 1.0",
    "1000, 64, 0.01",
    "1000, 64, 0.3",
    "4097, 7, 0.5",
    "10000, 64, 0.2",
  })
  void uniformDrawsAreThoseOfTheCore(int numClasses, int batch, double rate) {
    int[] targets = targets(numClasses, batch);
    String spec = "uniform(%s, corrected=true)".formatted(rate);
    var expected = chosenByCore(spec, numClasses, targets);
    try (var on = new Case(numClasses, targets)) {
      int numTargets = on.selection.numChosen();
      int wanted = Math.clamp(Math.round(rate * numClasses), 1, numClasses);
      on.selection.fillUniformly(wanted, Hash.key(SEED, DRAW));
      var chosen = on.finish();
      assertSame(expected, chosen);
      int numDraws = chosen.ids.length - numTargets;
      if (numDraws > 0) {
        var logWeights = on.selection.logWeights(numDraws);
        float[] weights = DeviceArrays.floats(on.device, logWeights, chosen.ids.length);
        for (int j = 0; j < weights.length; j++) {
          assertEquals(expected.logWeight(j), weights[j], "class " + chosen.ids[j]);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"50, 7, 0.2", "3000, 64, 1.0", "70, 64, 1.0"})
  void aTailIsDrawnFromTheRest(int numClasses, int batch, double share) {
    int[] targets = targets(numClasses, batch);
    var expected = chosenByCore("uniform(0.01) + tail(%s)".formatted(share), numClasses, targets);
    try (var on = new Case(numClasses, targets)) {
      int few = Math.clamp(Math.round(0.01 * numClasses), 1, numClasses);
      on.selection.fillUniformly(few, Hash.key(SEED, DRAW));
      int first = on.selection.finish();
      int wanted = (int) Math.min(numClasses, first + Math.round(share * first));
      on.selection.fillUniformly(wanted, Hash.key(SEED, DRAW, 0x7461696c));
      assertSame(expected, on.finish());
    }
  }

  // ---- candidates ------------------------------------------------------------------------------

  /** Candidates of a batch as arrays; IndexedClasses with plain collections. */
  @SuppressWarnings("ArrayRecordComponent") // as above
  private record Candidates(int[][] ids, float[][] scores, float[] targetScores, double scale) {
    static Candidates random(int numClasses, int batch, int perSample, boolean ties, long seed) {
      var random = new SplittableRandom(seed);
      int[][] ids = new int[batch][perSample];
      float[][] scores = new float[batch][perSample];
      float[] targetScores = new float[batch];
      for (int i = 0; i < batch; i++) {
        Arrays.fill(ids[i], -1);
        int count = Math.min(random.nextInt(perSample + 1), numClasses);
        int[] some = random.ints(0, numClasses).distinct().limit(count).toArray();
        System.arraycopy(some, 0, ids[i], 0, count);
        for (int k = 0; k < perSample; k++) {
          scores[i][k] = ties ? 0.5f : random.nextFloat();
        }
        targetScores[i] = ties ? 0.5f : random.nextFloat();
      }
      return new Candidates(ids, scores, targetScores, 8);
    }

    int[] chosen(int[] targets, int wanted) {
      Map<Integer, Float> masses = new HashMap<>();
      for (int i = 0; i < ids.length; i++) {
        double sum = Math.exp(scale * targetScores[i]);
        for (int k = 0; k < ids[i].length; k++) {
          if (ids[i][k] >= 0 && ids[i][k] != targets[i]) {
            sum += Math.exp(scale * scores[i][k]);
          }
        }
        for (int k = 0; k < ids[i].length; k++) {
          if (ids[i][k] >= 0 && ids[i][k] != targets[i]) {
            float mass = (float) Math.exp(scale * scores[i][k] - Math.log(sum));
            masses.merge(ids[i][k], mass, Float::sum);
          }
        }
      }
      var active = new TreeSet<Integer>();
      Arrays.stream(targets).forEach(active::add);
      masses.entrySet().stream()
          .filter(entry -> !active.contains(entry.getKey()))
          .sorted(
              Comparator.comparingDouble((Map.Entry<Integer, Float> entry) -> -entry.getValue())
                  .thenComparing(Map.Entry::getKey))
          .limit(Math.max(0, wanted - active.size()))
          .map(Map.Entry::getKey)
          .toList()
          .forEach(active::add);
      return active.stream().mapToInt(id -> id).toArray();
    }

    void take(Case on, int wanted) {
      int[] allIds = Arrays.stream(ids).flatMapToInt(Arrays::stream).toArray();
      float[] allScores = new float[allIds.length];
      for (int i = 0; i < allScores.length; i++) {
        allScores[i] = scores[i / ids[0].length][i % ids[0].length];
      }
      on.selection.takeBest(
          new Proposed(
              DeviceArrays.upload(on.device, allIds),
              DeviceArrays.upload(on.device, allScores),
              ids[0].length,
              DeviceArrays.upload(on.device, targetScores),
              scale),
          wanted);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1, 1",
    "31, 7, 5, 20",
    "32, 64, 32, 32",
    "33, 7, 3, 33",
    "1000, 1, 100, 50",
    "1000, 64, 31, 200",
    "1000, 64, 31, 20",
    "1000, 64, 129, 900",
    "70000, 7, 300, 500",
  })
  void theLargestMassesAreTaken(int numClasses, int batch, int perSample, int wanted) {
    int[] targets = targets(numClasses, batch);
    for (boolean ties : new boolean[] {false, true}) {
      var candidates = Candidates.random(numClasses, batch, perSample, ties, 3);
      try (var on = new Case(numClasses, targets)) {
        candidates.take(on, wanted);
        assertArrayEquals(candidates.chosen(targets, wanted), on.finish().ids, "ties " + ties);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"false", "true"})
  void aSecondBatchKnowsNothingOfTheFirst(boolean larger) {
    int[] targets = targets(1000, 7);
    try (var on = new Case(1000, targets)) {
      Candidates.random(1000, 7, larger ? 5 : 90, false, 1).take(on, 300);
      on.finish();
      on.selection.begin(targets, DeviceArrays.upload(on.device, targets));
      var candidates = Candidates.random(1000, 7, 40, true, 2);
      candidates.take(on, 100);
      assertArrayEquals(candidates.chosen(targets, 100), on.finish().ids);
    }
  }
}
