// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import java.util.ArrayList;
import java.util.List;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowUpdate;
import megaclass.compute.StageClock;
import megaclass.compute.StageClock.Stage;
import megaclass.compute.Workers;
import megaclass.select.ActiveClasses;
import megaclass.weights.ClassWeights;
import org.jspecify.annotations.Nullable;

/**
 * Loss and gradients of a batch over its active classes, tile by tile: logits of all active classes
 * never exist at once, nor do their gradients.
 *
 * <p>{@link #forward} runs through tiles of class weights: inner products with the batch, log
 * weights and margins, and an online log-sum-exp. {@link #backward} runs through the same tiles
 * again: exponentials kept from before, where there was room, or recomputed; their gradient goes
 * into the gradient of the embeddings and into a tile of row gradients, which are applied at once.
 * A batch in groups goes through group by group; rows that groups share are applied when the last
 * of them is done. {@link LossDefinition} says in plain loops what comes out.
 *
 * <p>Tiles are dealt to a fixed number of chunks, whose sums are added in order: the result does
 * not depend on the number of threads. Not thread-safe, but works with all threads itself.
 */
public final class SoftmaxHead implements AutoCloseable {
  private final Loss loss;
  private final Engine engine;
  private final Workers workers;
  private final StageClock clock;
  private final TileMemory memory;
  private final TileKernel[] kernels;
  private final SharedRows sharedRows;
  private final Embeddings.Shape shape;
  private final double[] exampleLoss;
  private @Nullable Embeddings group;
  private List<BatchPart> parts = List.of();

  /**
   * Allocates for batches of up to {@code batchSize} samples.
   *
   * @param weights (numClasses, dim)
   */
  public SoftmaxHead(Loss loss, ClassWeights weights, int batchSize, Engine engine) {
    this.loss = loss;
    this.engine = engine;
    this.workers = engine.workers();
    this.clock = engine.clock();
    int numClasses = weights.numClasses();
    memory = new TileMemory(batchSize, weights.matrix().width(), numClasses, workers.threads());
    sharedRows = new SharedRows(weights.matrix().width(), engine.backend());
    shape = new Embeddings.Shape(weights.dim(), loss.normalised(), loss.bias());
    kernels = new TileKernel[workers.threads()];
    for (int worker = 0; worker < kernels.length; worker++) {
      kernels[worker] = new TileKernel(loss, weights.matrix(), memory, engine.backend(), worker);
    }
    exampleLoss = new double[batchSize];
  }

  /**
   * Bytes of scratch memory that are used, for the memory forecast.
   *
   * @param mostActive classes that are active at most; what more of them would use is never touched
   */
  public static long sizeInBytes(int batchSize, int width, int mostActive, int threads) {
    return TileMemory.sizeInBytes(batchSize, width, mostActive, threads);
  }

  /**
   * Bytes that batches in groups need in addition.
   *
   * @param groupSize samples of the largest group
   * @param numShared classes that are active in several groups
   */
  public static long groupsSizeInBytes(int groupSize, long numShared, int width) {
    return Embeddings.sizeInBytes(groupSize, width) + SharedRows.sizeInBytes(numShared, width);
  }

  /**
   * Computes the loss of each sample.
   *
   * @param embeddings packed, (batch, dim)
   * @param active the classes of the softmax, all targets among them, or those of each group
   * @return mean loss of the batch, in nats; may be infinite or NaN when weights have diverged
   */
  public double forward(Embeddings embeddings, ActiveClasses active) {
    clock.enter(Stage.LOSS);
    parts = parts(embeddings, active);
    for (BatchPart part : parts) {
      part.gather(embeddings);
      forward(part);
    }
    double total = 0;
    for (int i = 0; i < embeddings.size(); i++) {
      total += exampleLoss[i];
    }
    return total / embeddings.size();
  }

  /** The whole batch, or its groups. */
  private List<BatchPart> parts(Embeddings batch, ActiveClasses active) {
    if (active.groups().isEmpty()) {
      return List.of(part(null, batch.size(), batch, active, 0));
    }
    List<BatchPart> made = new ArrayList<>();
    Embeddings own = reserveGroup(active.groups());
    long keptFrom = 0;
    for (ActiveClasses.Group one : active.groups()) {
      made.add(part(one.samples(), one.samples().length, own, one.active(), keptFrom));
      keptFrom = made.getLast().tiles().keptTo();
    }
    return made;
  }

  private BatchPart part(
      int @Nullable [] samples, int size, Embeddings own, ActiveClasses active, long keptFrom) {
    var tiles = memory.plan(size, active.numActive(), keptFrom);
    var targets = new BatchTargets(loss, active, size, tiles.tileRows());
    float[] scales = new float[active.numActive()];
    return new BatchPart(samples, own, active, tiles, targets, scales, new double[size]);
  }

  /** Embeddings with room for each of the groups. */
  private Embeddings reserveGroup(List<ActiveClasses.Group> groups) {
    int largest = groups.stream().mapToInt(one -> one.samples().length).max().orElseThrow();
    if (group == null || group.capacity() < largest) {
      closeGroup();
      group = new Embeddings(largest, shape, engine);
    }
    return group;
  }

  private void closeGroup() {
    if (group != null) {
      group.close();
    }
  }

  private void forward(BatchPart part) {
    var tiles = part.tiles();
    workers.run(
        tiles.numChunks(),
        (chunk, worker) -> {
          memory.clearSums(chunk, tiles);
          for (int tile = tiles.firstTile(chunk); tile < tiles.firstTile(chunk + 1); tile++) {
            kernels[worker].forward(tile, chunk, part);
          }
        });
    for (int i = 0; i < part.size(); i++) {
      part.logSumExp()[i] = memory.logSumExp(i, tiles, loss.separateTarget());
      exampleLoss[part.sample(i)] = part.targets().loss(i, part.logSumExp()[i]);
    }
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
   * @param update receives the gradient of each active class's weight, once and as soon as it is
   *     known
   */
  public void backward(Embeddings embeddings, ActiveClasses active, RowUpdate update) {
    clock.enter(Stage.UPDATE);
    RowUpdate rows = active.groups().isEmpty() ? update : sharedRows.begin(active, update);
    for (BatchPart part : parts) {
      part.gather(embeddings);
      backward(part, embeddings, rows);
    }
  }

  private void backward(BatchPart part, Embeddings batch, RowUpdate update) {
    var tiles = part.tiles();
    memory.setSampleFactors(part.logSumExp(), batch.size());
    workers.run(
        tiles.numChunks(),
        (chunk, worker) -> {
          memory.clearGradient(chunk, tiles);
          for (int tile = tiles.firstTile(chunk); tile < tiles.firstTile(chunk + 1); tile++) {
            kernels[worker].backward(tile, chunk, part, batch.size(), update);
          }
        });
    part.finishGradient(memory.gradients(tiles), batch);
  }

  @Override
  public void close() {
    closeGroup();
    sharedRows.close();
    memory.close();
  }
}
