// SPDX-License-Identifier: Apache-2.0
package megaclass.select;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;

/** A selector that adds something to what another one chooses, and leaves all else to it. */
abstract class AddedSelector implements ClassSelector {
  final ClassSelector base;

  AddedSelector(ClassSelector base) {
    this.base = base;
  }

  @Override
  public boolean readsAllWeights() {
    return base.readsAllWeights();
  }

  @Override
  public void begin() {
    base.begin();
  }

  @Override
  public void moved(int classId, int worker) {
    base.moved(classId, worker);
  }

  @Override
  public void endStep(long step) {
    base.endStep(step);
  }

  @Override
  public long age(long step) {
    return base.age(step);
  }

  @Override
  public double drift() {
    return base.drift();
  }

  @Override
  public Map<String, MemorySegment> state() {
    return base.state();
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    base.restore(sections);
  }

  @Override
  public void close() {
    base.close();
  }
}
