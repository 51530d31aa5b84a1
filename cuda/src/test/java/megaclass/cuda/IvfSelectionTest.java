// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.compute.Engine;
import megaclass.compute.RowFormat;
import megaclass.compute.RowMatrix;
import megaclass.cuda.DeviceSelection.Proposed;
import megaclass.index.BinaryIvf;
import megaclass.index.Rotation;
import megaclass.select.ActiveClasses;
import megaclass.select.ClassSelector;
import megaclass.select.SelectionProblem;
import megaclass.select.SelectorSpec;
import megaclass.weights.ClassWeights;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A whole step of class selection by an inverted file, on the device and in the core. */
class IvfSelectionTest {
  private static final int DIM = 32;
  private static final long SEED = 8;
  private static final double SCALE = 16;

  /** What one step on the device makes active, in the order of the method. */
  private static int[] select(
      IndexProblem on, Engine engine, ClassSelector core, int[] targets, int numActive) {
    var settings = new BinaryIvf.Settings(20, 8, 24, 1000, BinaryIvf.Code.RABITQ);
    var rotation = new Rotation(DIM, DeviceIvf.rotationSeed(SEED), engine.backend());
    var rows = new DeviceIndexedRows(on.rows, true);
    try (var ivf = new DeviceIvf(on.device, rows, settings, SEED, rotation, on.sort);
        var selection = new DeviceSelection(on.device, on.matrix.numRows(), on.sort)) {
      ivf.restore(IndexProblem.sections(core.state()));
      var onDevice = on.ints(targets);
      var targetScores = on.device.allocate(4L * targets.length);
      selection.begin(targets, onDevice);
      var found = ivf.search(on.packed.address(), targets.length, 1);
      ivf.score(on.packed.address(), onDevice, targets.length, targetScores);
      selection.takeBest(
          new Proposed(found.ids(), found.scores(), found.perSample(), targetScores, SCALE),
          numActive);
      return chosen(on, selection);
    }
  }

  private static int[] chosen(IndexProblem on, DeviceSelection selection) {
    int numActive = selection.finish();
    return DeviceArrays.ints(on.device, selection.classIds(), numActive);
  }

  @ParameterizedTest
  @CsvSource({"400, 33, 0.2", "400, 64, 0.9", "1000, 7, 0.05", "40, 1, 0.5"})
  void aStepChoosesTheClassesThatTheCoreChooses(int numClasses, int batch, double rate) {
    try (var on = new IndexProblem(numClasses, DIM, batch, RowFormat.FP32, false);
        var engine = Engine.start("scalar", 1);
        var embeddings = on.forCore(engine);
        var weights = ClassWeights.allocate(numClasses, DIM, false, RowMatrix.State.NONE)) {
      for (int c = 0; c < numClasses; c++) {
        for (int j = 0; j < DIM; j++) {
          weights.matrix().set(c, j, on.matrix.get(c, j));
        }
      }
      int[] targets = new SplittableRandom(1).ints(batch, 0, numClasses).toArray();
      String spec = "ivf(%s, numLists=20, numProbes=8, numCandidates=24)".formatted(rate);
      try (var core =
          ClassSelector.of(
              SelectorSpec.parse(spec),
              new SelectionProblem(weights, true, SCALE, batch, SEED, engine))) {
        core.begin();
        ActiveClasses expected = core.select(embeddings, targets, 0);
        int[] ids = IntStream.range(0, expected.numActive()).map(expected::classId).toArray();
        int numActive = Math.clamp(Math.round(rate * numClasses), 1, numClasses);
        int[] chosen = select(on, engine, core, targets, numActive);
        assertEquals(ids.length, chosen.length);
        assertArrayEquals(ids, chosen);
        try (var _ = HostCuda.reverse()) {
          assertArrayEquals(chosen, select(on, engine, core, targets, numActive));
        }
      }
    }
  }
}
