// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.select.ActiveClasses;

/**
 * The last layer while it is trained: it chooses the classes that a batch sees, computes loss and
 * gradients over them, and moves their weights. One object serves one run.
 *
 * <p>It may compute where the {@link megaclass.weights.ClassWeights} of its {@link HeadProblem} lie
 * ({@link CpuHead}), or keep rows of its own on a device. Those of the problem are what the two
 * sides exchange: they hold the initial values when {@link #begin} is called, those of a checkpoint
 * when {@link #restore} is, and what was learned after {@link #synchronise}; in between, nobody
 * else may expect anything of them.
 *
 * <p>A step is {@link #beginStep}, {@link #select}, {@link #forward}, {@link #backward} and {@link
 * #endStep}, in this order. The same seed gives the same bits, whatever the number of threads; a
 * run that was resumed, too. Used by one thread; works with as many as it likes itself.
 */
public interface TrainingHead extends AutoCloseable {
  /** What computes, for the header of a run, as "vector 512 bit". */
  String description();

  /** Called once, when the weights have their initial values. */
  void begin();

  /**
   * Called instead of {@link #begin} when a run is resumed and the weights are those of its
   * checkpoint.
   *
   * @param sections what {@link #state} gave, by name
   */
  void restore(Function<String, MemorySegment> sections);

  /**
   * Takes note of a step that was done before the run was resumed: after {@link #restore}, once for
   * each of them, in their order.
   *
   * @param learningRate of that step
   */
  void skipStep(double learningRate);

  /**
   * Hears which targets a later batch has, so that rows can be brought nearer while another one
   * trains. Changes nothing but the time.
   *
   * @param targets class id of each of its samples
   * @param step its number
   */
  default void announce(int[] targets, long step) {}

  /**
   * Begins the next step.
   *
   * @param learningRate of the class weights in this step
   */
  void beginStep(double learningRate);

  /**
   * Chooses the active classes of a batch and makes up for the steps that their rows have missed.
   * Outside a step, too: to look at the choice, which trains nothing.
   *
   * @param embeddings packed, (batch, dim)
   * @param targets class id of each sample, (batch); all of them become active
   * @param step number of the step, from which follows what is random
   */
  void select(Embeddings embeddings, int[] targets, long step);

  /**
   * Computes the loss over the active classes.
   *
   * @param embeddings as given to {@link #select}
   * @return mean loss of the batch, in nats; may be infinite or NaN when weights have diverged
   */
  double forward(Embeddings embeddings);

  /** Loss of sample {@code i} of the last {@link #forward}, in nats. */
  double exampleLoss(int i);

  /**
   * Computes the gradients of the last {@link #forward}'s loss and moves the rows of the active
   * classes.
   *
   * @param embeddings as given to {@link #forward}; receives its gradient rows, (batch, dim), taken
   *     back through the normalisation
   */
  void backward(Embeddings embeddings);

  /**
   * Ends the running step: rows without a gradient have missed it, and what is stale of an index is
   * repaired.
   *
   * @param step its number
   */
  void endStep(long step);

  /** How many classes the last {@link #select} made active. */
  int numActive();

  /** How many rows the last step wrote: those of its active classes, or all of them. */
  int weightRows();

  /** The classes that the last {@link #select} made active; on the host, for diagnostics. */
  ActiveClasses active();

  /**
   * Steps since the weights were as the index of the selector knows them; 0 without one, and for
   * one that follows the weights.
   *
   * @param step number of the step that asks, from 0
   */
  long age(long step);

  /**
   * How far class weights have gone since the index took note of them, relative to their length; 0
   * without one, and for one that follows the weights.
   */
  double drift();

  /** Makes up for the steps that any rows have missed: before all classes are scored or saved. */
  void catchUpAll();

  /**
   * Brings all rows and what the optimizer keeps of them to the weights of the problem, just as
   * they are: before a checkpoint, and after {@link #catchUpAll} before an evaluation or a model.
   */
  void synchronise();

  /**
   * What a checkpoint has to keep besides rows, by name, so that a resumed run goes on the same.
   */
  Map<String, MemorySegment> state();

  @Override
  void close();
}
