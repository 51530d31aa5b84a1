// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static megaclass.compute.ComputeBackend.PANEL;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import megaclass.ChildJvm;
import org.junit.jupiter.api.Test;

/**
 * The bits of a result depend on the operands alone: not on when the loops were compiled, which no
 * two runs share, and but for inner products not on the width of the vectors.
 */
class RepeatableBitsTest {
  private static final String VECTORS = "--add-modules=jdk.incubator.vector";
  private static final int WARM = 20_000;

  /**
   * Runs all operations of a backend so many rounds and prints a line each: its description, a hash
   * of all results but inner products, a hash of these. Or why there is no such backend.
   */
  static final class Probe {
    private static final int ROWS = 8;
    private static final int STRIDE = 48;
    private static final int LENGTH = ROWS * PANEL;

    private final ComputeBackend backend;

    private Probe(String backend) {
      this.backend = ComputeBackend.named(backend);
    }

    public static void main(String[] args) {
      try {
        var probe = new Probe(args[0]);
        for (int round = 1; round < Integer.parseInt(args[1]); round++) {
          probe.run();
        }
        System.out.println(probe.backend.description());
        probe.run().forEach(System.out::println);
      } catch (IllegalArgumentException e) {
        System.out.println(e.getMessage());
      }
    }

    private List<Integer> run() {
      var random = new SplittableRandom(1);
      var results = new ArrayList<float[]>();
      float[][] dots = new float[4][ROWS];
      try (var arena = Arena.ofConfined()) {
        var tile = Floats.of(Floats.normal(random, LENGTH, 8), arena);
        var lanes = Floats.random(random, PANEL, arena);
        var sums = Floats.of(new float[PANEL], arena);
        var rows = Floats.random(random, 2 * ROWS * STRIDE, arena);
        var into = Floats.of(new float[LENGTH], arena);
        long[] addresses = new long[ROWS];
        Arrays.setAll(addresses, r -> rows.address() + 8L * STRIDE * r);
        float[] best = Floats.normal(random, ROWS, 1);

        backend.scaleAndShift(tile.address(), ROWS, best, best);
        backend.expAndSum(tile.address(), ROWS, lanes.address(), sums.address());
        backend.expAndScale(tile.address(), ROWS, lanes.address(), sums.address());
        backend.scaleColumns(tile.address(), ROWS, sums.address());
        backend.columnMax(tile.address(), ROWS, lanes.address());
        backend.columnThreshold(tile.address(), ROWS, 5, sums.address());
        backend.rowMax(tile.address(), ROWS, 37, best);
        backend.logits(addresses, ROWS, tile.address(), ROWS, into.address());
        backend.embeddingGradient(
            rows.address(), STRIDE, tile.address(), ROWS, ROWS, into.address());
        int[] found = new int[LENGTH];
        int count = backend.above(into.address(), ROWS, lanes.address(), found);
        for (long row : addresses) {
          long next = row + 4L * STRIDE;
          backend.momentumStep(row, next, next, STRIDE, 0.1f, 0.9f, 0.01f, true);
          backend.transform(row, next, STRIDE, 0.9f, 0.1f, -0.2f, 0.95f);
          backend.addScaled(next, 0.7f, STRIDE, row);
        }
        backend.sum(addresses, 0, ROWS, STRIDE, rows.address() + 4L * STRIDE);
        for (int r = 0; r < ROWS; r++) {
          dots[0][r] = backend.dot(addresses[r], rows.address(), STRIDE);
        }
        backend.dots(addresses, ROWS, rows.address(), STRIDE, dots[1]);
        // The bytes of the rows, as codes.
        backend.codeDots(addresses, ROWS, lanes.address(), STRIDE, dots[2]);
        dots[3][0] = runCodes(random, arena, results);
        results.add(new float[] {count});
        results.add(best);
        for (Floats floats : List.of(tile, lanes, sums, into, rows)) {
          results.add(floats.toArray());
        }
      }
      return List.of(Arrays.deepHashCode(results.toArray()), Arrays.deepHashCode(dots));
    }

    /** Rotates, signs and scans; returns the one sum that depends on the width of the vectors. */
    private float runCodes(SplittableRandom random, Arena arena, List<float[]> results) {
      int codeDim = 3 * CodeKernels.WORD;
      int words = 3;
      var kernels = backend.codes();
      float[] factors = Floats.normal(random, 2 * CodeKernels.factorsOfRound(codeDim), 1);
      var row = Floats.of(Floats.normal(random, codeDim, 1), arena);
      kernels.rotate(row.address(), codeDim, factors, codeDim, row.address());
      long codes = arena.allocate(CodeKernels.bytes(CodeKernels.BLOCK, words), 64).address();
      float sum = kernels.signs(row.address(), words, codes + 8, CodeKernels.BLOCK);
      long[] code = {arena.allocate(8L * words, 64).address()};
      kernels.signs(row.address(), words, code[0], 1);
      long[] planes = {arena.allocate(8L * words * CodeKernels.PLANES, 64).address()};
      float[] scale = {kernels.planes(row.address(), words, planes[0])};
      int[] distances = new int[CodeKernels.BLOCK];
      kernels.distances(code, 1, codes, 1, words, distances);
      float[] estimates = new float[CodeKernels.BLOCK];
      var sums = new long[CodeKernels.BLOCK];
      kernels.estimates(planes, scale, scale, 1, codes, row.address(), 1, words, sums, estimates);
      int[] found = new int[CodeKernels.BLOCK];
      int above = kernels.above(estimates, 0, CodeKernels.BLOCK, estimates[3], found);
      int below = kernels.below(distances, 0, CodeKernels.BLOCK, distances[3], found);
      results.add(row.toArray());
      results.add(Floats.values(CodeKernels.BLOCK, i -> distances[i]));
      results.add(estimates);
      results.add(scale);
      results.add(new float[] {above, below, kernels.threshold(estimates, estimates.length, 3)});
      return sum;
    }
  }

  @Test
  void compiledCodeGivesTheBitsOfTheInterpreter() throws IOException, InterruptedException {
    assertEquals(
        probe("vector", List.of(VECTORS, "-Xint"), 1), probe("vector", List.of(VECTORS), WARM));
  }

  @Test
  void vectorsOfEveryWidthGiveTheSameBits() throws IOException, InterruptedException {
    var preferred = probe("vector", List.of(VECTORS), 1);
    var narrow = probe("vector", List.of(VECTORS, "-XX:MaxVectorSize=16"), 1);
    var medium = probe("vector", List.of(VECTORS, "-XX:MaxVectorSize=32"), 1);
    assertEquals("vector 128 bit", narrow.getFirst());
    assertEquals(preferred.get(1), narrow.get(1));
    assertEquals(preferred.get(1), medium.get(1));
  }

  @Test
  void withoutTheVectorApiTheScalarBackendIsTaken() throws IOException, InterruptedException {
    assertEquals("scalar", probe("auto", List.of(), 1).getFirst());
    assertEquals(
        "backend \"vector\" needs the Vector API: run java with --add-modules"
            + " jdk.incubator.vector, or take backend \"scalar\"",
        probe("vector", List.of(), 1).getFirst());
  }

  private static List<String> probe(String backend, List<String> options, int rounds)
      throws IOException, InterruptedException {
    return ChildJvm.output(ChildJvm.of(options, Probe.class, backend, String.valueOf(rounds)))
        .lines()
        .toList();
  }
}
