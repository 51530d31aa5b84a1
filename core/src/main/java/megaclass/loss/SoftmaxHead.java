// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowUpdate;
import megaclass.compute.StageClock;
import megaclass.compute.StageClock.Stage;
import megaclass.compute.Workers;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;

/**
 * Loss and gradients of a batch over its active classes, tile by tile: logits of all active classes
 * never exist at once, nor do their gradients.
 *
 * <p>{@link #forward} runs through tiles of class weights: inner products with the batch, log
 * weights and margins, and an online log-sum-exp. {@link #backward} runs through the same tiles
 * again: exponentials kept from before, where there was room, or recomputed; their gradient goes
 * into the gradient of the embeddings and into a tile of row gradients, which are applied at once.
 * {@link LossDefinition} says in plain loops what comes out.
 *
 * <p>Tiles are dealt to a fixed number of chunks, whose sums are added in order: the result does
 * not depend on the number of threads. Not thread-safe, but works with all threads itself.
 */
public final class SoftmaxHead implements AutoCloseable {
  private final Loss loss;
  private final Workers workers;
  private final StageClock clock;
  private final TileMemory memory;
  private final TileKernel[] kernels;
  private final BatchTargets targets;
  private final double[] logSumExp;
  private final double[] exampleLoss;

  /**
   * Allocates for batches of up to {@code batchSize} samples.
   *
   * @param weights (numClasses, dim)
   */
  public SoftmaxHead(Loss loss, ClassWeights weights, int batchSize, Engine engine) {
    this.loss = loss;
    this.workers = engine.workers();
    this.clock = engine.clock();
    memory = new TileMemory(batchSize, weights.matrix().width(), workers.threads());
    targets = new BatchTargets(loss, batchSize);
    kernels = new TileKernel[workers.threads()];
    for (int worker = 0; worker < kernels.length; worker++) {
      kernels[worker] =
          new TileKernel(loss, weights.matrix(), memory, targets, engine.backend(), worker);
    }
    logSumExp = new double[batchSize];
    exampleLoss = new double[batchSize];
  }

  /** Bytes of scratch memory for batches of this size, for the memory forecast. */
  public static long sizeInBytes(int batchSize, int width, int threads) {
    return TileMemory.sizeInBytes(batchSize, width, threads);
  }

  /**
   * Computes the loss of each sample.
   *
   * @param embeddings packed, (batch, dim)
   * @param active the classes of the softmax, all targets among them
   * @return mean loss of the batch, in nats; may be infinite or NaN when weights have diverged
   */
  public double forward(Embeddings embeddings, ActiveClasses active) {
    clock.enter(Stage.LOSS);
    var tiles = memory.plan(embeddings.size(), active.numActive());
    targets.assign(active, embeddings.size(), tiles.tileRows());
    workers.run(
        tiles.numChunks(),
        (chunk, worker) -> {
          memory.clearSums(chunk, tiles);
          for (int tile = tiles.firstTile(chunk); tile < tiles.firstTile(chunk + 1); tile++) {
            kernels[worker].forward(tile, chunk, tiles, embeddings, active);
          }
        });
    double total = 0;
    for (int i = 0; i < embeddings.size(); i++) {
      logSumExp[i] = memory.logSumExp(i, tiles, loss.separateTarget());
      exampleLoss[i] = targets.loss(i, logSumExp[i]);
      total += exampleLoss[i];
    }
    return total / embeddings.size();
  }

  /** Loss of sample {@code i} of the last {@link #forward}, in nats. */
  public double exampleLoss(int i) {
    return exampleLoss[i];
  }

  /**
   * Computes the gradients of the last {@link #forward}'s mean loss.
   *
   * @param embeddings of that call; receives its gradient rows
   * @param active of that call
   * @param update receives the gradient of each active class's weight as soon as it is known
   */
  public void backward(Embeddings embeddings, ActiveClasses active, RowUpdate update) {
    clock.enter(Stage.UPDATE);
    var tiles = memory.plan(embeddings.size(), active.numActive());
    memory.setSampleFactors(logSumExp, embeddings.size());
    workers.run(
        tiles.numChunks(),
        (chunk, worker) -> {
          memory.clearGradient(chunk, tiles);
          for (int tile = tiles.firstTile(chunk); tile < tiles.firstTile(chunk + 1); tile++) {
            kernels[worker].backward(tile, chunk, tiles, embeddings, active, logSumExp, update);
          }
        });
    embeddings.finishGradient(memory.gradients(tiles));
  }

  @Override
  public void close() {
    memory.close();
  }
}
