// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import java.time.Duration;
import java.util.List;
import megaclass.train.TrainConfig;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags that say how a cell is trained, wherever it runs. */
final class RunOptions {
  @Option(names = "--loss", paramLabel = "SPEC", description = "default ${DEFAULT-VALUE}")
  String loss = "normsoftmax(scale=16)";

  @Option(names = "--optimizer", paramLabel = "SPEC", description = "default ${DEFAULT-VALUE}")
  String optimizer = "sgd(momentum=0.9)";

  @Option(names = "--dtype", paramLabel = "FORMAT", description = "fp32 or bf16; default fp32")
  String dtype = "fp32";

  @Option(
      names = "--weights-memory",
      paramLabel = "BYTES",
      description = "for class weights, which lie on disk if they take more; default all")
  long weightsMemory = TrainConfig.ALL_IN_MEMORY;

  @Option(names = "--batch-size", paramLabel = "N", description = "default ${DEFAULT-VALUE}")
  int batchSize = 256;

  @Option(names = "--threads", paramLabel = "N", description = "default all cores")
  int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "auto, vector, scalar or cuda; default auto")
  String backend = "auto";

  @Option(names = "--seed", paramLabel = "N", description = "default ${DEFAULT-VALUE}")
  long seed = 42;

  @Option(
      names = "--warm-up",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description = "before anything counts, and 3 steps at least; default 5s, quick 500ms")
  @Nullable Duration warmUp;

  @Option(
      names = "--measure",
      paramLabel = "TIME",
      converter = TimeSpan.class,
      description = "of each run, and 3 steps at least; default 10s, quick 500ms")
  @Nullable Duration measure;

  Duration warmUp(boolean quick) {
    return warmUp != null ? warmUp : quick ? Duration.ofMillis(500) : Duration.ofSeconds(5);
  }

  Duration measure(boolean quick) {
    return measure != null ? measure : quick ? Duration.ofMillis(500) : Duration.ofSeconds(10);
  }

  Cell cell(int numClasses, int dim, String selector) {
    return new Cell(
        numClasses,
        dim,
        selector,
        loss,
        optimizer,
        dtype,
        weightsMemory,
        batchSize,
        threads,
        backend,
        seed);
  }

  /** The flags that give a child this cell. */
  static List<String> words(Cell cell, Duration warmUp, Duration measure) {
    return List.of(
        "cell",
        "--num-classes=" + cell.numClasses(),
        "--dim=" + cell.dim(),
        "--selector=" + cell.selector(),
        "--loss=" + cell.loss(),
        "--optimizer=" + cell.optimizer(),
        "--dtype=" + cell.dtype(),
        "--weights-memory=" + cell.weightsMemory(),
        "--batch-size=" + cell.batchSize(),
        "--threads=" + cell.threads(),
        "--backend=" + cell.backend(),
        "--seed=" + cell.seed(),
        "--warm-up=" + TimeSpan.text(warmUp),
        "--measure=" + TimeSpan.text(measure));
  }
}
