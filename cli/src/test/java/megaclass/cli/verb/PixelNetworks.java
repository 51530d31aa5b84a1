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

/**
 * Stands for LibTorch: the embedding of an image is its first pixels, and nothing is learned. While
 * a batch trains the next one must have been announced, and nothing may be asked of it once closed.
 */
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
    private long announced;
    private boolean training;
    private boolean closed;

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
    public void announce(MiniBatch later) {
      announced = later.step();
    }

    @Override
    public void beginStep(double learningRate) {
      training = true;
    }

    @Override
    public MemorySegment network() {
      require(!closed, "closed");
      return MemorySegment.ofArray(new byte[8]);
    }

    @Override
    public void read(MiniBatch batch, boolean training) {
      require(!closed, "closed");
      if (this.training) {
        require(announced == batch.step() + 1, "the step after this one was not announced");
      }
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
    public void backward(Embeddings embeddings, RowUpdate update) {
      training = false;
    }

    @Override
    public void close() {
      require(!closed, "closed twice");
      closed = true;
    }

    private static void require(boolean right, String otherwise) {
      if (!right) {
        throw new IllegalStateException(otherwise);
      }
    }
  }
}
