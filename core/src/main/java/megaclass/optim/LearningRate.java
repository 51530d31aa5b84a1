// SPDX-License-Identifier: Apache-2.0
package megaclass.optim;

import java.util.List;
import java.util.stream.Collectors;
import megaclass.internal.Check;
import megaclass.internal.SpecText;

/**
 * How the learning rate goes over a run: a factor on the rate set, for each step.
 *
 * <p>Every schedule rises in equal parts over its warm-up, a share of all steps, and then follows
 * its own shape over the remaining steps, of which {@code progress} is the share already done.
 *
 * <p>The text, as in configurations and logs, is {@code cosine(warmup=0.05)}; {@code
 * parse(rate.toString())} equals the schedule. Schedules are immutable values.
 */
public sealed interface LearningRate {

  /**
   * The full rate after the warm-up.
   *
   * @param warmup share of all steps, in [0, 1]
   */
  record Constant(double warmup) implements LearningRate {
    public Constant {
      checkWarmup(warmup);
    }

    @Override
    public String toString() {
      return "constant(warmup=%s)".formatted(SpecText.text(warmup));
    }
  }

  /**
   * Down to 0 in equal parts: {@code 1 - progress}.
   *
   * @param warmup share of all steps, in [0, 1]
   */
  record Linear(double warmup) implements LearningRate {
    public Linear {
      checkWarmup(warmup);
    }

    @Override
    public String toString() {
      return "linear(warmup=%s)".formatted(SpecText.text(warmup));
    }
  }

  /**
   * Down to 0 along half a cosine: {@code (1 + cos(pi progress)) / 2} (Loshchilov and Hutter 2017).
   *
   * @param warmup share of all steps, in [0, 1]
   */
  record Cosine(double warmup) implements LearningRate {
    public Cosine {
      checkWarmup(warmup);
    }

    @Override
    public String toString() {
      return "cosine(warmup=%s)".formatted(SpecText.text(warmup));
    }
  }

  /**
   * Times a factor at each milestone.
   *
   * @param at milestones as shares of all steps, at least one, each in (0, 1), rising
   * @param factor what each milestone multiplies the rate by, in (0, 1]
   * @param warmup share of all steps, in [0, 1]
   */
  record Step(List<Double> at, double factor, double warmup) implements LearningRate {
    public Step {
      at = List.copyOf(at);
      if (at.isEmpty() || !risesBetweenZeroAndOne(at)) {
        throw new IllegalArgumentException(
            "at must be shares of all steps that rise between 0 and 1, but was "
                + (at.isEmpty() ? "none" : text(at)));
      }
      Check.inLeftOpenRange("factor", factor, 0.0, 1.0);
      checkWarmup(warmup);
    }

    @Override
    public String toString() {
      return "step(at=%s, factor=%s, warmup=%s)"
          .formatted(text(at), SpecText.text(factor), SpecText.text(warmup));
    }

    private static boolean risesBetweenZeroAndOne(List<Double> at) {
      double before = 0.0;
      for (double milestone : at) {
        if (!(milestone > before && milestone < 1.0)) {
          return false;
        }
        before = milestone;
      }
      return true;
    }

    private static String text(List<Double> at) {
      return at.stream().map(SpecText::text).collect(Collectors.joining(";"));
    }
  }

  /**
   * Down to 0 along a power: {@code (1 - progress)^power}.
   *
   * @param power above 0; 1 is {@link Linear}
   * @param warmup share of all steps, in [0, 1]
   */
  record Polynomial(double power, double warmup) implements LearningRate {
    public Polynomial {
      Check.positive("power", power);
      checkWarmup(warmup);
    }

    @Override
    public String toString() {
      return "polynomial(power=%s, warmup=%s)"
          .formatted(SpecText.text(power), SpecText.text(warmup));
    }
  }

  /**
   * Reads the text of a schedule.
   *
   * @throws IllegalArgumentException when it is none of the forms, which the message lists
   */
  static LearningRate parse(String text) {
    return OptimText.LEARNING_RATES.parse(text);
  }

  /** Share of all steps over which the rate rises from 0. */
  double warmup();

  /**
   * The factor of one step, in [0, 1].
   *
   * @param step number of steps already done, in [0, totalSteps]
   * @param totalSteps steps of the whole run, at least 1
   */
  default double factor(long step, long totalSteps) {
    Check.positive("totalSteps", totalSteps);
    Check.inRange("step", step, 0, totalSteps);
    long warmupSteps = Math.round(warmup() * totalSteps);
    if (step < warmupSteps) {
      return (step + 1.0) / warmupSteps;
    }
    double progress =
        warmupSteps == totalSteps
            ? 0.0
            : (double) (step - warmupSteps) / (totalSteps - warmupSteps);
    return switch (this) {
      case Constant _ -> 1.0;
      case Linear _ -> 1.0 - progress;
      case Cosine _ -> (1.0 + Math.cos(Math.PI * progress)) / 2.0;
      case Polynomial(double power, double _) -> Math.pow(1.0 - progress, power);
      case Step(List<Double> at, double factor, double _) -> {
        long passed = at.stream().filter(share -> step >= share * totalSteps).count();
        yield Math.pow(factor, (double) passed);
      }
    };
  }

  private static void checkWarmup(double warmup) {
    Check.inRange("warmup", warmup, 0.0, 1.0);
  }
}
