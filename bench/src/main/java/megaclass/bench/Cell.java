// SPDX-License-Identifier: Apache-2.0
package megaclass.bench;

import megaclass.compute.RowFormat;
import megaclass.data.PlantedClasses;
import megaclass.loss.Loss;
import megaclass.optim.LearningRate;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;
import megaclass.train.MemoryPlan;
import megaclass.train.TrainConfig;
import megaclass.weights.Initialisation;

/**
 * One cell of the grid: what is trained, and on which data.
 *
 * @param numClasses classes of the planted data, of which up to a million have an example
 * @param dim floats of an embedding
 * @param selector as text, such as {@code uniform(0.1)}
 * @param loss as text
 * @param optimizer as text
 * @param dtype "fp32" or "bf16"
 * @param weightsMemory bytes of memory for class weights; more lie on disk
 * @param batchSize samples a step
 * @param threads that work
 * @param backend "auto", "vector" or "scalar"
 * @param seed of data and run
 */
record Cell(
    int numClasses,
    int dim,
    String selector,
    String loss,
    String optimizer,
    String dtype,
    long weightsMemory,
    int batchSize,
    int threads,
    String backend,
    long seed) {
  /** More examples would change nothing that is measured. */
  private static final int MOST_EXAMPLES = 1 << 20;

  /** Spells texts out in full, as {@code sgd(momentum=0.9, nesterov=false, ...)}. */
  Cell {
    selector = SelectorSpec.parse(selector).toString();
    loss = Loss.parse(loss).toString();
    optimizer = OptimizerSpec.parse(optimizer).toString();
  }

  /** The data: one example a class is all that a step's time depends on. */
  PlantedClasses data() {
    return PlantedClasses.defaults()
        .withNumClasses(numClasses)
        .withDim(dim)
        .withExamplesPerClass(1)
        .withSeenClasses(numSeen())
        .withSeed(seed);
  }

  /** The settings: as every training run, for longer than anyone will wait. */
  TrainConfig config() {
    return TrainConfig.defaults()
        .withDim(dim)
        .withInitialisation(Initialisation.RANDOM) // class means would have learned it all
        .withSelector(SelectorSpec.parse(selector))
        .withLoss(Loss.parse(loss))
        .withOptimizer(OptimizerSpec.parse(optimizer))
        .withSchedule(new LearningRate.Constant(0))
        .withEpochs(1e6)
        .withDtype(RowFormat.parse(dtype))
        .withWeightsMemory(weightsMemory)
        .withBatchSize(batchSize)
        .withThreads(threads)
        .withBackend(backend)
        .withSeed(seed);
  }

  /** Forecast of all memory: the run and its data, which lie in memory too. */
  long plannedBytes() {
    return MemoryPlan.of(config(), numClasses, dataBytes()).totalBytes();
  }

  private int numSeen() {
    return Math.min(numClasses, MOST_EXAMPLES);
  }

  private long dataBytes() {
    return numSeen() * (4L * dim + 4) + numClasses * MemoryPlan.LABEL_BYTES;
  }
}
