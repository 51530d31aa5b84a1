// SPDX-License-Identifier: Apache-2.0
package megaclass.backbone;

import java.lang.foreign.MemorySegment;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.MiniBatch;
import org.jspecify.annotations.Nullable;

/**
 * Features are the embeddings, computed beforehand by an encoder of any kind; nothing is trained.
 */
public final class FrozenBackbone implements Backbone {
  private final int dim;
  private @Nullable MiniBatch batch;

  /** Passes rows of {@code dim} floats through. */
  public FrozenBackbone(int dim) {
    this.dim = dim;
  }

  @Override
  public int dim() {
    return dim;
  }

  @Override
  public @Nullable RowMatrix parameters() {
    return null;
  }

  @Override
  public void read(MiniBatch batch, boolean training) {
    this.batch = batch;
  }

  @Override
  public void forward(Embeddings into) {
    MiniBatch examples = batch;
    if (examples == null) {
      throw new IllegalStateException("read a batch before forward");
    }
    MemorySegment rows = examples.data().rows();
    for (int i = 0; i < examples.size(); i++) {
      var row = MemorySegment.ofAddress(into.row(i)).reinterpret(4L * dim);
      MemorySegment.copy(rows, examples.data().rowOffset(examples.example(i)), row, 0, 4L * dim);
    }
  }

  @Override
  public void backward(Embeddings embeddings, RowUpdate update) {}

  @Override
  public void close() {}
}
