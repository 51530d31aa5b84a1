// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import megaclass.internal.Hash;
import megaclass.select.SelectorSpec;

/** The targets, filled up by uniform draws: the classes that the host's {@code uniform} draws. */
final class UniformChoice implements DeviceChoice {
  private final int numClasses;
  private final int wanted;
  private final boolean corrected;
  private final long seed;
  private final DeviceSelection selection;

  /**
   * Allocates.
   *
   * @param selection closed with this
   */
  UniformChoice(SelectorSpec.Uniform spec, int numClasses, long seed, DeviceSelection selection) {
    this.numClasses = numClasses;
    this.wanted = Math.clamp(Math.round(spec.rate() * numClasses), 1, numClasses);
    this.corrected = spec.corrected();
    this.seed = seed;
    this.selection = selection;
  }

  @Override
  public Chosen choose(DeviceSamples samples, long draw) {
    selection.begin(samples.targetIds(), samples.targets());
    int numTargets = selection.numChosen();
    selection.fillUniformly(Math.min(wanted, numClasses), Hash.key(seed, draw));
    int numActive = selection.finish();
    int numDraws = numActive - numTargets;
    DeviceBuffer logWeights = corrected && numDraws > 0 ? selection.logWeights(numDraws) : null;
    return new Chosen(selection.classIds(), numActive, selection.targetPositions(), logWeights);
  }

  @Override
  public void close() {
    selection.close();
  }
}
