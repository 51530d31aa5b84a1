// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.util.Arrays;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.compute.Workers;
import megaclass.data.MiniBatch;
import megaclass.internal.Hash;

/**
 * The mean of a table's rows, one for each token of a text: the input layer of fastText (Joulin et
 * al. 2016). The table (buckets, dim) is as sparse in its updates as the class weights: a batch
 * touches the rows of its tokens only.
 */
public final class BagBackbone implements Backbone {
  /** Samples are read and summed, and rows updated, in this many parts, whatever the threads. */
  private static final int PARTS = 16;

  private final RowMatrix table;
  private final ComputeBackend backend;
  private final Workers workers;
  private final long seed;
  private final TokenHasher[] hashers;
  private final long[][] addresses;

  /** Tokens of sample i are {@code tokens[i][0 .. counts[i])}. */
  private int[][] tokens = new int[0][];

  private int[] counts = new int[0];
  private int size;
  private final TouchedRows touched = new TouchedRows(PARTS);

  /**
   * Works on a table that the caller owns and closes.
   *
   * @param table (buckets, dim)
   * @param seed of the dropout
   */
  public BagBackbone(BackboneSpec.Bag spec, RowMatrix table, long seed, Engine engine) {
    this.table = table;
    this.backend = engine.backend();
    this.workers = engine.workers();
    this.seed = seed;
    hashers = new TokenHasher[workers.threads()];
    Arrays.setAll(hashers, _ -> new TokenHasher(spec));
    addresses = new long[workers.threads()][256];
  }

  @Override
  public int dim() {
    return table.width();
  }

  @Override
  public RowMatrix parameters() {
    return table;
  }

  @Override
  public void read(MiniBatch batch, boolean training) {
    size = batch.size();
    if (tokens.length < size) {
      tokens = Arrays.copyOf(tokens, size);
      counts = Arrays.copyOf(counts, size);
    }
    workers.run(
        PARTS,
        (part, worker) -> {
          for (int i = from(part); i < from(part + 1); i++) {
            readSample(batch, i, training, hashers[worker]);
          }
        });
    if (training) {
      touched.group(tokens, counts, size, table.numRows(), workers);
    }
  }

  private int from(int part) {
    return (int) ((long) size * part / PARTS);
  }

  private void readSample(MiniBatch batch, int i, boolean training, TokenHasher hasher) {
    long example = batch.example(i);
    var data = batch.data();
    long key = training ? Hash.key(seed, batch.step(), i) | 1 : 0;
    int count =
        hasher.read(data.textBytes(), data.textOffset(example), data.textLength(example), key);
    if (tokens[i] == null || tokens[i].length < count) {
      tokens[i] = new int[count + count / 2];
    }
    hasher.copyTokens(tokens[i], 0);
    counts[i] = count;
  }

  @Override
  public int numTouched() {
    return touched.numRows();
  }

  @Override
  public int touched(int i) {
    return touched.row(i);
  }

  @Override
  public void forward(Embeddings into) {
    workers.run(
        PARTS,
        (part, worker) -> {
          for (int i = from(part); i < from(part + 1); i++) {
            long[] rows = scratch(worker, counts[i]);
            for (int t = 0; t < counts[i]; t++) {
              rows[t] = table.address(tokens[i][t]);
            }
            backend.sum(rows, 0, counts[i], table.stride(), into.row(i));
            backend.scaled(into.row(i), 1f / counts[i], table.stride(), into.row(i));
          }
        });
  }

  private long[] scratch(int worker, int count) {
    if (addresses[worker].length < count) {
      addresses[worker] = new long[2 * count];
    }
    return addresses[worker];
  }

  @Override
  public void backward(Embeddings embeddings, RowUpdate update) {
    workers.run(
        PARTS,
        (part, _) -> {
          for (int i = from(part); i < from(part + 1); i++) {
            long gradient = embeddings.gradientRow(i);
            backend.scaled(gradient, 1f / counts[i], table.stride(), gradient);
          }
        });
    touched.forEachRow(
        workers,
        (row, samples, from, to, worker) -> {
          long[] gradients = scratch(worker, to - from + 1);
          for (int s = from; s < to; s++) {
            gradients[s - from] = embeddings.gradientRow((int) samples[s]);
          }
          long sum = embeddings.scratchRow(worker);
          backend.sum(gradients, 0, to - from, table.stride(), sum);
          update.update(row, sum, worker);
        });
  }

  @Override
  public void close() {}
}
