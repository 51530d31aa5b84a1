// SPDX-License-Identifier: Apache-2.0
package megaclass.head;

import megaclass.compute.RowFormat;
import megaclass.loss.Loss;
import megaclass.optim.OptimizerSpec;
import megaclass.select.SelectorSpec;

/**
 * What a run's settings say of its head: enough to forecast the memory that it takes.
 *
 * @param numClasses classes of the data, at least 1
 * @param dim floats of an embedding
 * @param dtype how class weights and their velocities lie in memory
 * @param deviceMemory bytes of a device for class weights and what the optimizer keeps of each,
 *     above 0; if they take more, they lie in the memory of the host and those in use on the device
 * @param loss what is minimised; whether embeddings have unit length and classes a bias is its
 *     matter
 * @param selector which classes a batch sees
 * @param optimizer how class weights move
 * @param batchSize samples of a batch, at most
 * @param precision of matrix products on a device
 * @param deviceNumber which device, from 0; the first one of several
 * @param deviceCount how many devices share the classes
 */
public record HeadSettings(
    int numClasses,
    int dim,
    RowFormat dtype,
    long deviceMemory,
    Loss loss,
    SelectorSpec selector,
    OptimizerSpec optimizer,
    int batchSize,
    Precision precision,
    int deviceNumber,
    int deviceCount) {

  /** Keeps all class weights on the device. */
  public static final long ALL_ON_DEVICE = Long.MAX_VALUE;

  /** Floats of a class weight with its bias, if there is one. */
  public int width() {
    return dim + (loss.bias() ? 1 : 0);
  }
}
