// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Objects;
import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.backbone.NetworkProvider;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.MiniBatch;
import org.jspecify.annotations.Nullable;

/** Stands for LibTorch: the embedding of an image is its first pixels, and nothing is learned. */
public final class PixelNetworks implements NetworkProvider {
  @Override
  public Map<String, Long> bytes(Problem problem) {
    return Map.of("network", 1L);
  }

  @Override
  public Backbone open(Problem problem) {
    return new Pixels(problem.dim());
  }

  private static final class Pixels implements Backbone {
    private final int dim;
    private @Nullable MiniBatch batch;

    Pixels(int dim) {
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
    public MemorySegment network() {
      return MemorySegment.ofArray(new byte[8]);
    }

    @Override
    public void read(MiniBatch batch, boolean training) {
      this.batch = batch;
    }

    @Override
    public void forward(Embeddings into) {
      var examples = Objects.requireNonNull(batch);
      var pixels = examples.data().pixels();
      for (int i = 0; i < examples.size(); i++) {
        var row = MemorySegment.ofAddress(into.row(i)).reinterpret(4L * dim);
        long from = examples.data().pixelOffset(examples.example(i));
        for (int j = 0; j < dim; j++) {
          int value = pixels.get(ValueLayout.JAVA_BYTE, from + j) & 0xFF;
          row.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, j, value / 255f);
        }
      }
    }

    @Override
    public void backward(Embeddings embeddings, RowUpdate update) {}

    @Override
    public void close() {}
  }
}
