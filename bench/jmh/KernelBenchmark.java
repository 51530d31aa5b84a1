// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.lang.foreign.Arena;
import java.util.concurrent.TimeUnit;
import megaclass.compute.ComputeBackend;
import megaclass.compute.RowMatrix;
import megaclass.compute.Workers;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Kernels of {@code megaclass bench roofline} under JMH, another harness, with JVMs of its own for
 * each kernel: to be compared with. Answers are checked before anything is measured.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 3,
    jvmArgs = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
public class KernelBenchmark {
  private static final long MATRIX_BYTES = 512L << 20;

  /** Floats of a row; 130 is no multiple of anything. */
  @Param({"128", "130", "512"})
  public int dim;

  /** A name of {@link Kernel#all}. */
  @Param({
    "peak: fused multiply-add",
    "logits, rows in a cache",
    "logits, random rows",
    "exp and sum",
    "embedding gradient",
    "weight gradient",
    "peak: random pairs of rows changed",
    "momentum step, random rows",
    "code distances, 4 queries"
  })
  public String kernel;

  private final ComputeBackend backend = ComputeBackend.named("auto");
  private Arena arena;
  private RowMatrix matrix;
  private KernelMemory memory;
  private Kernel.Body body;

  /** Checks the kernels and makes their operands. */
  @Setup(Level.Trial)
  public void setUp() {
    KernelCheck.check(backend, dim);
    arena = Arena.ofShared();
    int numRows = KernelMemory.rowsIn(MATRIX_BYTES, dim);
    matrix = new RowMatrix(numRows, dim, new RowMatrix.State(true, false, false));
    try (var workers = new Workers(1)) {
      matrix.randomise(1e-3, dim, 1, workers);
    }
    memory = new KernelMemory(matrix, 0, 1, MATRIX_BYTES / 8, backend, arena);
    body =
        Kernel.all().stream().filter(k -> k.name().equals(kernel)).findFirst().orElseThrow().body();
  }

  /** Frees them. */
  @TearDown(Level.Trial)
  public void tearDown() {
    memory.close();
    matrix.close();
    arena.close();
  }

  /**
   * One call on a tile; what it writes lies outside the heap, where no compiler can leave it out.
   */
  @Benchmark
  public void call() {
    body.call(backend, memory);
  }
}
