// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.internal.Hash;
import org.jspecify.annotations.Nullable;

/**
 * The classes that matter most to a batch, among those that an inverted file of sign codes finds
 * for its samples, and uniform draws from the rest, if wanted: the {@code ivf} and {@code ivf +
 * tail} of the host (our reconstruction of ANN Softmax).
 */
final class IvfChoice implements DeviceChoice {
  /** As in the host's {@code TailedClasses}, for the same draws. */
  private static final long TAIL = 0x7461696c;

  private final Settings settings;
  private final DeviceIvf index;
  private final DeviceSelection selection;
  private final DeviceScratch targetScores;

  /**
   * How to choose.
   *
   * @param numClasses of all
   * @param numActive classes without the tail, targets included
   * @param tail draws as a share of the classes that are chosen; 0 for none
   * @param scale of scores, 1 for inner products
   * @param seed of the draws
   */
  record Settings(int numClasses, int numActive, double tail, double scale, long seed) {}

  /**
   * Chooses.
   *
   * @param index closed with this, as is the selection
   */
  IvfChoice(Device device, Settings settings, DeviceIvf index, DeviceSelection selection) {
    this.settings = settings;
    this.index = index;
    this.selection = selection;
    targetScores = new DeviceScratch(device);
  }

  @Override
  public void begin() {
    index.build();
  }

  @Override
  public Chosen choose(DeviceSamples samples, long draw) {
    selection.begin(samples.targetIds(), samples.targets());
    long embeddings = samples.embeddings().address();
    var found = index.search(embeddings, samples.size(), 1);
    DeviceBuffer ofTargets = targetScores.words(samples.size());
    index.score(embeddings, samples.targets(), samples.size(), ofTargets);
    selection.takeBest(
        new DeviceSelection.Proposed(
            found.ids(), found.scores(), found.perSample(), ofTargets, settings.scale()),
        settings.numActive());
    DeviceBuffer logWeights = addTail(selection.finish(), draw);
    return new Chosen(
        selection.classIds(), selection.numChosen(), selection.targetPositions(), logWeights);
  }

  private @Nullable DeviceBuffer addTail(int chosen, long draw) {
    long draws = Math.round(settings.tail() * chosen);
    int wanted = (int) Math.min(settings.numClasses(), chosen + draws);
    if (wanted == chosen) {
      return null;
    }
    selection.fillUniformly(wanted, Hash.key(settings.seed(), draw, TAIL));
    selection.finish();
    return selection.logWeights(wanted - chosen);
  }

  @Override
  public void moved(Chosen chosen) {
    index.moved(chosen.rows(0, chosen.numActive()));
  }

  @Override
  public void endStep(long step) {
    index.endStep(step);
  }

  @Override
  public Map<String, MemorySegment> state() {
    return index.state();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    index.restore(sections);
  }

  @Override
  public void close() {
    index.close();
    selection.close();
    targetScores.close();
  }
}
