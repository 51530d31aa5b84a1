// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import megaclass.bench.KernelRun.Rate;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;

/**
 * Measures the kernels of one backend in this JVM. Rounds go through the peaks and all kernels, so
 * that what the machine does meanwhile hits all of them; a share is taken within a round.
 */
final class KernelBench {
  private static final RowMatrix.State WITH_VELOCITY = new RowMatrix.State(true, false, false);

  /** Rounds that come first and are thrown away: the JIT compiles. */
  private static final int WARM_UP_ROUNDS = 5;

  /**
   * How long and how large.
   *
   * @param rounds that count
   * @param seconds of a kernel in a round, about
   * @param matrixBytes of the matrix that rows are taken from: more than the caches hold
   */
  record Effort(int rounds, double seconds, long matrixBytes) {
    static final Effort FULL = new Effort(7, 0.05, 1L << 30);
    static final Effort QUICK = new Effort(3, 0.02, 32L << 20);
  }

  private KernelBench() {}

  /** Measures with one thread and, if these are more, with {@code threads}. */
  static List<KernelRun> run(int dim, int threads, String backend, Effort effort) {
    KernelCheck.check(ComputeBackend.named(backend), dim);
    var runs = new ArrayList<KernelRun>();
    for (int count : Arrays.stream(new int[] {1, threads}).distinct().toArray()) {
      runs.add(runAt(dim, count, ComputeBackend.named(backend), effort));
    }
    return runs;
  }

  private static KernelRun runAt(int dim, int threads, ComputeBackend backend, Effort effort) {
    int numRows = KernelMemory.rowsIn(effort.matrixBytes, dim);
    try (var workers = new Workers(threads);
        var arena = Arena.ofShared();
        var matrix = new RowMatrix(numRows, dim, WITH_VELOCITY)) {
      matrix.randomise(1e-3, dim, 1, workers);
      var memories = new KernelMemory[threads];
      workers.run(
          threads,
          (task, _) ->
              memories[task] =
                  new KernelMemory(matrix, task, threads, effort.matrixBytes / 2, backend, arena));
      var kernels = Kernel.all();
      double[][] rates = new double[kernels.size()][effort.rounds];
      for (int round = -WARM_UP_ROUNDS; round < effort.rounds; round++) {
        for (int k = 0; k < kernels.size(); k++) {
          double rate = rate(kernels.get(k), backend, workers, memories, effort.seconds);
          if (round >= 0) {
            rates[k][round] = rate;
          }
        }
      }
      var summary = summary(kernels, rates, memories[0]);
      Arrays.stream(memories).forEach(KernelMemory::close);
      return new KernelRun(dim, threads, backend.description(), summary);
    }
  }

  /** Calls a kernel on all threads for about so long; returns 1e9 units a second over all. */
  private static double rate(
      Kernel kernel,
      ComputeBackend backend,
      Workers workers,
      KernelMemory[] memories,
      double seconds) {
    double spent = 0;
    double work = 0;
    for (int calls = 1; spent < seconds; calls *= 2) {
      int count = calls;
      long begin = System.nanoTime();
      workers.run(
          memories.length,
          (task, _) -> {
            for (int call = 0; call < count; call++) {
              kernel.body().call(backend, memories[task]);
            }
          });
      spent = (System.nanoTime() - begin) * 1e-9;
      work = kernel.work().applyAsDouble(memories[0]) * memories.length * count;
    }
    return work / spent * 1e-9;
  }

  private static List<Rate> summary(List<Kernel> kernels, double[][] rates, KernelMemory memory) {
    var names = kernels.stream().map(Kernel::name).toList();
    var summary = new ArrayList<Rate>();
    for (int k = 0; k < rates.length; k++) {
      double[] shares = new double[rates[k].length];
      int peak = names.indexOf(kernels.get(k).peak());
      double perWork =
          kernels.get(k).peakWork().applyAsDouble(memory)
              / kernels.get(k).work().applyAsDouble(memory);
      for (int round = 0; peak >= 0 && round < shares.length; round++) {
        shares[round] = rates[k][round] * perWork / rates[peak][round];
      }
      summary.add(
          new Rate(
              kernels.get(k).name(),
              kernels.get(k).unit(),
              Spread.of(rates[k]).median(),
              Spread.of(shares).median(),
              kernels.get(k).peak()));
    }
    return summary;
  }
}
