// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import megaclass.compute.RowFormat;
import megaclass.cuda.CodeTwin.Coded;
import megaclass.cuda.DeviceQuantizer.Probes;
import megaclass.index.BinaryIvf.Code;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Probes and scans against choices that sort everything. */
class DeviceScanTest {
  /** Lists with codes, and lists that samples look into. */
  private static final class Case implements AutoCloseable {
    final IndexProblem on;
    final CodeTwin twin;
    final DeviceCodes codes;
    final DeviceGroups groups;
    final DeviceLists lists;
    final StoredLists stored;
    final int[][] probed;
    final float[][] bases;

    /** Every third list is empty, if there are that many; the first one is the largest. */
    Case(IndexProblem on, int dim, Code code, int numLists, int numProbes, boolean equal) {
      this.on = on;
      twin = new CodeTwin(dim, code);
      codes = new DeviceCodes(on.device, twin.rotation, code);
      groups = new DeviceGroups(on.device, numLists, on.sort);
      int numClasses = on.matrix.numRows();
      lists = new DeviceLists(on.device, numClasses, numLists, codes.words(), on.sort, groups);
      var random = new SplittableRandom(4);
      int[] listOf = new int[numClasses];
      Arrays.setAll(listOf, _ -> random.nextInt(3) == 0 ? random.nextInt(numLists) : 0);
      Arrays.setAll(listOf, c -> listOf[c] % 3 == 1 ? 0 : listOf[c]);
      on.device.copy(on.ints(listOf), 0, lists.listOf(), 0, 4L * numClasses);
      lists.layOut();
      var centroids = on.device.allocate(4L * codes.codeDim() * numLists);
      codes.encode(
          new DeviceIndexedRows(on.rows, false),
          RowChoice.range(0, numClasses),
          centroids.address(),
          lists);
      stored = new StoredLists(on.device, lists, numLists, numClasses, codes.words());
      probed = new int[on.batch()][];
      bases = new float[on.batch()][numProbes];
      for (int i = 0; i < on.batch(); i++) {
        probed[i] = random.ints(0, numLists).distinct().limit(numProbes).toArray();
        for (int p = 0; p < numProbes; p++) {
          bases[i][p] = equal ? 1 : random.nextFloat();
        }
      }
    }

    int[] scan(int wanted, long foundBytes) {
      int numProbes = bases[0].length;
      float[] allBases = new float[on.batch() * numProbes];
      for (int i = 0; i < allBases.length; i++) {
        allBases[i] = bases[i / numProbes][i % numProbes];
      }
      int[] allProbed = Arrays.stream(probed).flatMapToInt(Arrays::stream).toArray();
      var probes =
          new Probes(on.ints(allProbed), DeviceArrays.upload(on.device, allBases), numProbes);
      try (var scan = new DeviceScan(on.device, codes, on.sort, foundBytes)) {
        var ids = on.device.allocate(4L * on.batch() * wanted);
        scan.scan(lists, probes, on.packed.address(), on.rows.stride(), on.batch(), wanted, ids);
        return DeviceArrays.ints(on.device, ids, on.batch() * wanted);
      }
    }

    /** By estimates from the codes and factors of the device, and its scales of embeddings. */
    int[] expected(int wanted) {
      var queries = on.device.allocate(4L * codes.queryWords() * on.batch());
      var scales = on.device.allocate(4L * on.batch());
      codes.encodeQueries(
          on.packed.address(), on.rows.stride(), on.batch(), queries.address(), scales.address());
      float[] scaleOf = DeviceArrays.floats(on.device, scales, on.batch());
      int[] best = new int[on.batch() * wanted];
      Arrays.fill(best, -1);
      for (int i = 0; i < on.batch(); i++) {
        var query = new Coded(twin.query(on.embeddings[i]).words(), scaleOf[i]);
        float[] estimates = new float[stored.listOf.length];
        Arrays.fill(estimates, Float.NaN);
        for (int c = 0; c < estimates.length; c++) {
          for (int p = 0; p < probed[i].length; p++) {
            if (probed[i][p] == stored.listOf[c]) {
              var code = new Coded(stored.code(c), stored.factor(c));
              estimates[c] = twin.estimate(code, query, bases[i][p]);
            }
          }
        }
        int[] ids =
            IntStream.range(0, estimates.length)
                .filter(c -> !Float.isNaN(estimates[c]))
                .boxed()
                .sorted(Comparator.comparingDouble(c -> -estimates[c]))
                .limit(wanted)
                .mapToInt(c -> c)
                .toArray();
        System.arraycopy(ids, 0, best, i * wanted, ids.length);
      }
      return best;
    }

    @Override
    public void close() {
      lists.close();
      groups.close();
      codes.close();
      twin.close();
    }
  }

  @ParameterizedTest
  @CsvSource({
    // numClasses, dim, batch, numLists, numProbes, wanted, code
    "1, 1, 1, 1, 1, 1, RABITQ",
    "31, 100, 7, 1, 1, 5, RABITQ",
    "32, 64, 64, 5, 5, 32, HAMMING",
    "33, 128, 7, 5, 2, 3, RABITQ",
    "1000, 100, 7, 40, 23, 10, RABITQ",
    "1000, 512, 1, 40, 40, 1, HAMMING",
    "1000, 64, 64, 40, 17, 31, RABITQ",
    "1000, 64, 64, 1, 1, 300, HAMMING",
    "1000, 128, 7, 400, 90, 1000, RABITQ",
  })
  void theBestEstimatesAreKept(
      int numClasses, int dim, int batch, int numLists, int numProbes, int wanted, Code code) {
    for (boolean equal : new boolean[] {false, true}) {
      try (var on = new IndexProblem(numClasses, dim, batch, RowFormat.FP32, equal);
          var with = new Case(on, dim, code, numLists, numProbes, equal)) {
        int[] expected = with.expected(wanted);
        assertArrayEquals(expected, with.scan(wanted, 1 << 20), "equal " + equal);
        // What is found on the way lies in the order in which threads found it; the end does not.
        try (var _ = HostCuda.reverse()) {
          assertArrayEquals(expected, with.scan(wanted, 1 << 20), "from the last thread");
        }
        long room = 8L * 3 * numClasses; // for three samples at a time, or a few more
        assertArrayEquals(expected, with.scan(wanted, room), "in parts");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 1",
    "31, 7, 31",
    "257, 7, 40",
    "1000, 64, 8",
    "1000, 3, 999",
    "70, 7, 65",
  })
  void theBestListsComeFirst(int numLists, int batch, int numProbes) {
    try (Device device = HostCuda.open();
        var _ = HostCuda.bothOrders()) {
      var random = new SplittableRandom(numLists);
      float[] scores = new float[batch * numLists];
      for (int i = 0; i < scores.length; i++) { // many are equal, some negative
        scores[i] = i < numLists ? 0.5f : random.nextInt(-9, 10) / 4f;
      }
      var best = device.allocate(8L * batch * numProbes);
      var lists = device.allocate(4L * batch * numProbes);
      var listScores = device.allocate(4L * batch * numProbes);
      device
          .kernel("scan", "top_lists")
          .launch(
              batch,
              1,
              256,
              0,
              DeviceArrays.upload(device, scores).address(),
              numLists,
              numProbes,
              best.address(),
              lists.address(),
              listScores.address());
      int[] found = DeviceArrays.ints(device, lists, batch * numProbes);
      float[] foundScores = DeviceArrays.floats(device, listScores, batch * numProbes);
      for (int i = 0; i < batch; i++) {
        int row = i * numLists;
        int[] expected =
            IntStream.range(0, numLists)
                .boxed()
                .sorted(Comparator.comparingDouble(list -> -scores[row + list]))
                .limit(numProbes)
                .mapToInt(list -> list)
                .toArray();
        for (int p = 0; p < numProbes; p++) {
          assertEquals(expected[p], found[i * numProbes + p]);
          assertEquals(scores[row + expected[p]], foundScores[i * numProbes + p]);
        }
      }
    }
  }
}
