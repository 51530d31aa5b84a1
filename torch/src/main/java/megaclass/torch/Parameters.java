// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import megaclass.internal.Hash;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The tensors of a network by name: parameters, which are trained, and statistics, which follow the
 * data.
 *
 * <p>Owns them until {@link #close}. Initial values are a function of the seed and of the order in
 * which parameters are made.
 */
final class Parameters implements AutoCloseable {
  private final long seed;
  private final List<Named> trained = new ArrayList<>();
  private final List<Named> statistics = new ArrayList<>();
  private final List<TensorOptional> optionals = new ArrayList<>();

  /**
   * A tensor.
   *
   * @param name unique in its network, as "block1.conv.weight"
   * @param decays whether weight decay pulls at it
   */
  record Named(String name, Tensor tensor, boolean decays) {}

  /** With a seed for initial values. */
  Parameters(long seed) {
    this.seed = seed;
  }

  /**
   * Makes a parameter with normally distributed values.
   *
   * @param deviation standard deviation
   */
  Tensor normal(String name, double deviation, long... shape) {
    var random = new SplittableRandom(Hash.key(seed, trained.size()));
    return filled(name, true, shape, () -> (float) (deviation * random.nextGaussian()));
  }

  /**
   * Makes a parameter with values that are uniform in {@code [-bound, bound)}.
   *
   * @param decays whether weight decay pulls at it
   */
  Tensor uniform(String name, boolean decays, double bound, long... shape) {
    var random = new SplittableRandom(Hash.key(seed, trained.size()));
    return filled(name, decays, shape, () -> (float) (bound * (2 * random.nextDouble() - 1)));
  }

  /** Makes a parameter of one value, without weight decay: of a normalisation, or an offset. */
  Tensor constant(String name, double value, long... shape) {
    return filled(name, false, shape, () -> (float) value);
  }

  /** Takes a parameter that lives elsewhere; one that asks for no gradient is not trained. */
  void adopt(String name, Tensor parameter) {
    var list = parameter.requires_grad() ? trained : statistics;
    list.add(new Named(name, parameter, parameter.dim() > 1));
  }

  /** Takes a statistic that lives elsewhere. */
  void adoptStatistic(String name, Tensor statistic) {
    statistics.add(new Named(name, statistic, false));
  }

  /** Makes a statistic of one value. */
  Tensor statistic(String name, double value, long... shape) {
    Tensor tensor = torch.zeros(shape);
    fill(tensor, () -> (float) value);
    statistics.add(new Named(name, tensor, false));
    return tensor;
  }

  private interface Values {
    float next();
  }

  private Tensor filled(String name, boolean decays, long[] shape, Values values) {
    Tensor tensor = torch.zeros(shape);
    fill(tensor, values);
    tensor.set_requires_grad(true);
    trained.add(new Named(name, tensor, decays));
    return tensor;
  }

  private static void fill(Tensor tensor, Values values) {
    MemorySegment memory = Tensors.memory(tensor);
    for (long i = 0; i < tensor.numel(); i++) {
      memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, values.next());
    }
  }

  /** A tensor where LibTorch takes one or none; lives as long as these parameters. */
  TensorOptional optional(Tensor tensor) {
    var optional = new TensorOptional(tensor);
    optionals.add(optional);
    return optional;
  }

  /** No tensor where LibTorch takes one or none; lives as long as these parameters. */
  TensorOptional none() {
    var none = new TensorOptional();
    optionals.add(none);
    return none;
  }

  /** Those that are trained, in the order in which they were made. */
  List<Named> trained() {
    return trained;
  }

  /** Those and the statistics. */
  List<Named> all() {
    var all = new ArrayList<>(trained);
    all.addAll(statistics);
    return all;
  }

  @Override
  public void close() {
    optionals.forEach(TensorOptional::close);
    all().forEach(named -> named.tensor().close());
  }
}
