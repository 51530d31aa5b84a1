// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import megaclass.backbone.Backbone;
import megaclass.backbone.Embeddings;
import megaclass.backbone.NetworkProvider.Problem;
import megaclass.backbone.NetworkTraining;
import megaclass.backbone.NetworkTraining.Precision;
import megaclass.compute.RowMatrix;
import megaclass.compute.RowUpdate;
import megaclass.data.ImageShape;
import megaclass.data.MiniBatch;
import megaclass.image.Augmentation;
import megaclass.image.ImageInput;
import megaclass.internal.Hash;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A network as a backbone: images go in as they lie in memory, and the head's gradient comes back
 * as it lies there; only the embeddings are copied, into the rows that the head reads.
 *
 * <p>In a step of training ({@link #beginStep}) normalisations take the statistics of the batch and
 * add them to the running ones, and dropout is on, its draws a function of seed and step. Outside,
 * running statistics are used and nothing changes. Tensors of a step are freed at its end, not when
 * the garbage collector finds them.
 */
final class TorchBackbone implements Backbone {
  private static final String OPTIMIZER = "optimizer";

  /** Images that go through at once outside training, so that memory stays that of training. */
  private static final int CHUNK = 64;

  private final Problem problem;
  private final ImageInput input;
  private @Nullable Network network;
  private @Nullable DenseOptimizer optimizer;
  private double rate;
  private boolean stepping;
  private @Nullable MiniBatch batch;
  private @Nullable MiniBatch announced;
  private boolean training;

  /** Tensors of the running step, from forward to backward. */
  private @Nullable PointerScope scope;

  private @Nullable Tensor embedded;

  /**
   * Takes a network over.
   *
   * @param network null for one that comes with {@link #restore}
   */
  TorchBackbone(Problem problem, @Nullable Network network) {
    this.problem = problem;
    NetworkTraining how = problem.training();
    input =
        ImageInput.open(
            problem.images(),
            Math.max(CHUNK, problem.batchSize()),
            how == null ? Augmentation.NONE : how.augmentation(),
            problem.seed(),
            problem.threads());
    use(network);
  }

  private void use(@Nullable Network made) {
    closeNetwork();
    network = made;
    NetworkTraining how = problem.training();
    if (made != null && how != null) {
      optimizer = new DenseOptimizer(how.optimizer(), how.clip(), made.parameters().trained());
    }
  }

  /**
   * Sends a picture of nothing through, to see whether the network fits the images and the dim.
   *
   * @throws IllegalArgumentException when it does not
   */
  void requireFits() {
    if (network != null) {
      try (var arena = Arena.ofConfined();
          var _ = new PointerScope();
          var _ = new NoGradGuard()) {
        apply(arena.allocate(problem.images().size() * (long) Float.BYTES, Float.BYTES), false);
      } catch (IllegalArgumentException e) {
        throw e; // a sentence already
      } catch (RuntimeException e) {
        throw new IllegalArgumentException(
            "backbone %s does not take images of %s: %s"
                .formatted(problem.spec(), problem.images(), firstLine(e)),
            e);
      }
    }
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** The network, which is there unless it comes with a model. */
  Network made() {
    return Objects.requireNonNull(network, "the network was not restored yet");
  }

  @Override
  public int dim() {
    return problem.dim();
  }

  @Override
  public @Nullable RowMatrix parameters() {
    return null;
  }

  @Override
  public void beginStep(double learningRate) {
    rate = learningRate;
    stepping = true;
  }

  /** Its images are made from when those of the running step are taken. */
  @Override
  public void announce(MiniBatch later) {
    announced = later;
  }

  @Override
  public void read(MiniBatch batch, boolean training) {
    this.batch = batch;
    this.training = training && stepping;
  }

  @Override
  public void forward(Embeddings into) {
    MiniBatch samples = Objects.requireNonNull(batch, "read a batch before forward");
    endScope();
    if (training) {
      torch.manual_seed(Hash.key(problem.seed(), samples.step()));
      scope = new PointerScope();
      MemorySegment images = input.take(samples, true);
      if (announced != null) {
        input.announce(announced);
        announced = null;
      }
      Tensor made = apply(images, true);
      embedded = made;
      copy(made, into, 0);
    } else {
      evaluate(samples, into);
    }
  }

  private void evaluate(MiniBatch samples, Embeddings into) {
    for (int from = 0; from < samples.size(); from += CHUNK) {
      int size = Math.min(CHUNK, samples.size() - from);
      MiniBatch chunk = samples.part(from, size);
      try (var _ = new PointerScope();
          var _ = new NoGradGuard()) {
        copy(apply(input.take(chunk, false), false), into, from);
      }
    }
  }

  private Tensor apply(MemorySegment images, boolean inTraining) {
    ImageShape shape = problem.images();
    long size = images.byteSize() / Float.BYTES / shape.size();
    long[] sizes = {size, shape.channels(), shape.height(), shape.width()};
    Tensor x = Tensors.over(images.address(), sizes, Tensors.strides(sizes));
    NetworkTraining how = problem.training();
    boolean bf16 = how != null && how.precision() == Precision.BF16;
    torch.set_autocast_enabled(torch.DeviceType.CPU, bf16);
    try {
      Tensor made = made().forward(x, inTraining).to(torch.ScalarType.Float);
      requireShape(made, size);
      return made;
    } finally {
      if (bf16) {
        torch.clear_cache();
        torch.set_autocast_enabled(torch.DeviceType.CPU, false);
      }
    }
  }

  private void requireShape(Tensor made, long size) {
    long[] wanted = {size, problem.dim()};
    long[] got = Tensors.shape(made);
    if (!Arrays.equals(got, wanted)) {
      throw new IllegalArgumentException(
          "backbone %s gives %s for images of %s, but embeddings of dim %d are %s (batch, dim); change dim or the module"
              .formatted(
                  problem.spec(),
                  Arrays.toString(got),
                  problem.images(),
                  problem.dim(),
                  Arrays.toString(wanted)));
    }
  }

  private void copy(Tensor from, Embeddings into, int firstRow) {
    try (var _ = new NoGradGuard()) {
      rows(into.row(firstRow), from.size(0), into).copy_(from);
    }
  }

  private static Tensor rows(long address, long count, Embeddings embeddings) {
    return Tensors.over(
        address, new long[] {count, embeddings.dim()}, new long[] {embeddings.stride(), 1});
  }

  @Override
  public void backward(Embeddings embeddings, RowUpdate update) {
    Tensor from = Objects.requireNonNull(embedded, "forward in training before backward");
    Tensor gradient = rows(embeddings.gradientRow(0), embeddings.size(), embeddings);
    from.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
    endScope();
    Objects.requireNonNull(optimizer, "not made for training").step(rate);
    stepping = false;
  }

  private void endScope() {
    embedded = null;
    if (scope != null) {
      scope.close();
      scope = null;
    }
  }

  @Override
  public MemorySegment network() {
    Network whole = made();
    return TensorBytes.write(whole.program(), whole.parameters().all());
  }

  @Override
  public Map<String, MemorySegment> state() {
    var state = new LinkedHashMap<String, MemorySegment>();
    state.put(NETWORK, network());
    state.put(OPTIMIZER, Objects.requireNonNull(optimizer, "not made for training").state());
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    MemorySegment saved = sections.apply(NETWORK);
    MemorySegment program = TensorBytes.program(saved);
    if (program.byteSize() > 0) {
      use(ScriptNetwork.of(program));
    }
    try (var _ = new NoGradGuard()) {
      TensorBytes.read(saved, made().parameters().all());
    }
    if (optimizer != null) {
      optimizer.restore(sections.apply(OPTIMIZER));
    }
  }

  private void closeNetwork() {
    if (optimizer != null) {
      optimizer.close();
      optimizer = null;
    }
    if (network != null) {
      network.close();
      network = null;
    }
  }

  @Override
  public void close() {
    endScope();
    closeNetwork();
    input.close();
  }
}
