// SPDX-License-Identifier: Apache-2.0
package megaclass.torch;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import megaclass.backbone.NetworkOptimizer;
import megaclass.backbone.NetworkTraining;
import megaclass.torch.Parameters.Named;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Moves all parameters of a network by their gradients, which it takes away. Owns what it keeps of
 * each parameter until {@link #close}.
 */
final class DenseOptimizer implements AutoCloseable {
  private final NetworkOptimizer spec;
  private final double clip;
  private final List<Named> trained;

  /** SGD: velocities. Adam: mean gradients, then mean squared ones. */
  private final List<Named> kept = new ArrayList<>();

  /** One number: how many steps were done, which corrects Adam's means. */
  private final Named steps = new Named("steps", torch.zeros(1), false);

  /**
   * Starts with nothing learned.
   *
   * @param clip length that the gradient by all parameters is cut to
   * @param trained lent
   */
  DenseOptimizer(NetworkOptimizer spec, double clip, List<Named> trained) {
    this.spec = spec;
    this.clip = clip;
    this.trained = trained;
    for (int slot = 0; slot < slots(spec); slot++) {
      for (Named named : trained) {
        var like = torch.zeros(Tensors.shape(named.tensor()));
        kept.add(new Named(slot + "." + named.name(), like, false));
      }
    }
  }

  /** Numbers that are kept of each parameter. */
  static int slots(NetworkOptimizer spec) {
    return switch (spec) {
      case NetworkOptimizer.Sgd _ -> 1;
      case NetworkOptimizer.Adam _ -> 2;
    };
  }

  /** Moves the parameters, and sets their gradients to 0. */
  void step(double rate) {
    try (var _ = new PointerScope();
        var _ = new NoGradGuard()) {
      steps.tensor().add_(new Scalar(1.0));
      clipGradients();
      for (int i = 0; i < trained.size(); i++) {
        Tensor gradient = trained.get(i).tensor().grad();
        if (gradient.defined()) { // a module may leave some of its parameters out
          move(i, gradient, rate);
          gradient.zero_();
        }
      }
    }
  }

  private void clipGradients() {
    if (clip == NetworkTraining.NO_CLIP) {
      return;
    }
    double squares = 0;
    for (Named named : trained) {
      Tensor gradient = named.tensor().grad();
      if (gradient.defined()) {
        double length = gradient.norm().item_double();
        squares += length * length;
      }
    }
    double length = Math.sqrt(squares);
    if (length > clip) {
      for (Named named : trained) {
        Tensor gradient = named.tensor().grad();
        if (gradient.defined()) {
          gradient.mul_(new Scalar(clip / length));
        }
      }
    }
  }

  private void move(int i, Tensor gradient, double rate) {
    Tensor parameter = trained.get(i).tensor();
    switch (spec) {
      case NetworkOptimizer.Sgd sgd -> {
        Tensor pull = gradient;
        if (sgd.decay() > 0 && trained.get(i).decays()) {
          pull = gradient.add(parameter, new Scalar(sgd.decay()));
        }
        Tensor velocity = kept.get(i).tensor();
        velocity.mul_(new Scalar(sgd.momentum())).add_(pull);
        Tensor way = sgd.nesterov() ? pull.add(velocity, new Scalar(sgd.momentum())) : velocity;
        parameter.add_(way, new Scalar(-rate));
      }
      case NetworkOptimizer.Adam adam -> {
        double step = steps.tensor().item_double();
        if (adam.decay() > 0 && trained.get(i).decays()) {
          parameter.mul_(new Scalar(1 - rate * adam.decay()));
        }
        Tensor mean = kept.get(i).tensor();
        Tensor squares = kept.get(trained.size() + i).tensor();
        mean.mul_(new Scalar(adam.beta1())).add_(gradient, new Scalar(1 - adam.beta1()));
        squares
            .mul_(new Scalar(adam.beta2()))
            .addcmul_(gradient, gradient, new Scalar(1 - adam.beta2()));
        double correction = Math.sqrt(1 - Math.pow(adam.beta2(), step));
        Tensor divisor = squares.sqrt().mul_(new Scalar(1 / correction));
        divisor.add_(new Scalar(adam.epsilon()));
        parameter.addcdiv_(mean, divisor, new Scalar(-rate / (1 - Math.pow(adam.beta1(), step))));
      }
    }
  }

  /** What it keeps, as bytes. */
  MemorySegment state() {
    return TensorBytes.write(MemorySegment.NULL, all());
  }

  /**
   * Goes on from what {@link #state} gave.
   *
   * @throws IllegalArgumentException when it is of another network; a part of a sentence
   */
  void restore(MemorySegment state) {
    TensorBytes.read(state, all());
  }

  private List<Named> all() {
    var all = new ArrayList<>(kept);
    all.add(steps);
    return all;
  }

  @Override
  public void close() {
    all().forEach(named -> named.tensor().close());
  }
}
