// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import java.util.Map;
import megaclass.optim.SparseOptimizer;
import megaclass.select.SelectorSpec;

/** A device made up of memory of the host: backend "mirror", found as a real one would be. */
public final class MirrorProvider implements HeadProvider {
  /** What backend to ask for. */
  public static final String NAME = "mirror";

  static final long FREE_BYTES = 3L << 30;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Device device(int number) {
    if (number > 0) {
      throw new IllegalArgumentException(
          "there is one device, number 0, but number %d is asked for".formatted(number));
    }
    return new Device("looking-glass", FREE_BYTES);
  }

  @Override
  public Map<String, Long> deviceBytes(HeadSettings settings) {
    if (settings.selector() instanceof SelectorSpec.Forest) {
      throw new IllegalArgumentException("backend \"mirror\" has no forest; take ivf");
    }
    var state = SparseOptimizer.stateFor(settings.optimizer());
    long rowBytes = state.bytesPerRow(settings.width(), settings.dtype());
    return Map.of("class weights", settings.numClasses() * rowBytes);
  }

  @Override
  public TrainingHead open(HeadProblem problem) {
    return new MirrorHead(problem);
  }
}
