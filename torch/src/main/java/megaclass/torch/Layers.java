// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Makes the layers of a network; the parameters of each get its name. */
final class Layers {
  private static final double EPSILON = 1e-5;

  /** Share of a batch's statistics in the running ones, as is usual. */
  private static final double STATISTICS = 0.1;

  private final Parameters parameters;
  private final TensorOptional none;
  private long bytesGiven;

  /** A function with parameters. */
  interface Layer {
    /** Applies it; {@code training} as in {@link Network#forward}. */
    Tensor apply(Tensor x, boolean training);

    /** This one and then another. */
    default Layer then(Layer next) {
      return (x, training) -> next.apply(apply(x, training), training);
    }
  }

  /**
   * Channels and size of a convolution.
   *
   * @param in channels that go in
   * @param out channels that come out
   * @param size of its square, in pixels
   * @param stride pixels from place to place
   */
  record Convolution(long in, long out, long size, long stride) {
    /** He's initialisation for layers that are followed by a rectifier (He et al. 2015). */
    double heDeviation() {
      return Math.sqrt(2.0 / (out * size * size));
    }
  }

  Layers(Parameters parameters) {
    this.parameters = parameters;
    none = parameters.none();
  }

  /** Bytes that convolutions and normalisations have given so far, all calls together. */
  long bytesGiven() {
    return bytesGiven;
  }

  private Tensor counted(Tensor given) {
    bytesGiven += given.nbytes();
    return given;
  }

  /** A convolution without offset, at each place where its square fits with zeros around. */
  Layer convolution(String name, Convolution shape) {
    return convolution(name, shape, shape.heDeviation());
  }

  /** The same with a standard deviation of its initial weights. */
  Layer convolution(String name, Convolution shape, double deviation) {
    Tensor weight = parameters.normal(name, deviation, shape.out, shape.in, shape.size, shape.size);
    long[] stride = {shape.stride, shape.stride};
    long[] padding = {shape.size / 2, shape.size / 2};
    long[] dilation = {1, 1};
    return (x, _) -> counted(torch.conv2d(x, weight, none, stride, padding, dilation, 1));
  }

  /** Normalisation of each channel over the batch (Ioffe and Szegedy 2015). */
  Layer normalisation(String name, long channels) {
    return normalisation(name, channels, true);
  }

  /**
   * The same.
   *
   * @param scaled whether it learns a scale of each channel beside the shift
   */
  Layer normalisation(String name, long channels, boolean scaled) {
    TensorOptional weight =
        scaled ? parameters.optional(parameters.constant(name + ".weight", 1, channels)) : none;
    var bias = parameters.optional(parameters.constant(name + ".bias", 0, channels));
    var mean = parameters.optional(parameters.statistic(name + ".mean", 0, channels));
    var variance = parameters.optional(parameters.statistic(name + ".variance", 1, channels));
    return (x, training) ->
        counted(
            torch.batch_norm(
                x, weight, bias, mean, variance, training, STATISTICS, EPSILON, false));
  }

  /** Every output from every input, with an offset. */
  Layer linear(String name, long in, long out) {
    double bound = 1 / Math.sqrt((double) in);
    Tensor weight = parameters.uniform(name + ".weight", true, bound, out, in);
    var bias = parameters.optional(parameters.uniform(name + ".bias", false, bound, out));
    return (x, _) -> torch.linear(x, weight, bias);
  }

  /** max(x, 0). */
  static Layer relu() {
    return (x, _) -> torch.relu(x);
  }

  /** max(x, 0) + slope min(x, 0), with a learned slope of each channel (He et al. 2015). */
  Layer prelu(String name, long channels) {
    Tensor slope = parameters.constant(name, 0.25, channels);
    return (x, _) -> torch.prelu(x, slope);
  }

  /** Leaves values out in training, each with this probability. */
  static Layer dropout(double probability) {
    return probability == 0
        ? (x, _) -> x
        : (x, training) -> torch.dropout(x, probability, training);
  }

  /** The largest of each square. */
  static Layer maxPooling(long size, long stride, long padding) {
    long[] sizes = {size, size};
    long[] strides = {stride, stride};
    long[] paddings = {padding, padding};
    long[] dilation = {1, 1};
    return (x, _) -> torch.max_pool2d(x, sizes, strides, paddings, dilation, false);
  }

  /** The mean of each channel. */
  static Layer meanPooling() {
    return (x, _) -> torch.adaptive_avg_pool2d(x, 1, 1);
  }

  /** (batch, channels, height, width) to (batch, channels * height * width). */
  static Layer flatten() {
    return (x, _) -> torch.flatten(x, 1, -1);
  }

  /** A branch and the way around it, added. */
  static Layer residual(Layer branch, Layer around) {
    return (x, training) -> branch.apply(x, training).add(around.apply(x, training));
  }
}
