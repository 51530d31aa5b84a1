// SPDX-License-Identifier: Apache-2.0
package megaclass.data;

import java.util.function.Consumer;
import megaclass.internal.Check;

/**
 * Settings of a made-up data set whose classes are really confusable: class centres stand in
 * families, so that a class has near neighbours, and choosing the right classes to train against
 * matters. (With independent centres every way of choosing looks equally good.)
 *
 * <p>A family centre has length 1, about; a class centre is its family's centre plus {@code spread}
 * times a random direction of that length; an example is its class centre plus {@code noise} times
 * another one. All examples are a function of these settings alone.
 *
 * @param numClasses how many classes, at least 2
 * @param dim floats a row
 * @param examplesPerClass on average; with {@code zipfExponent} 0 each class has exactly so many
 * @param seenClasses how many classes, drawn at random, have examples; 0 for all
 * @param noise length of the random part of an example. With 10 examples a class, dim 64 and the
 *     other defaults the nearest class mean finds 100, 83 and 48 % of 1000 classes at noise 0.6, 1
 *     and 1.4, and 99, 61 and 17 % of 100 000 classes
 * @param numFamilies how many families; 0 means the root of {@code numClasses}
 * @param spread distance of class centres from the centre of their family
 * @param zipfExponent the number of examples of class c is proportional to (c + 1)^-zipfExponent,
 *     beside the two that every class has; 0 for equal numbers, 1 for those of words in texts
 * @param flippedShare share of the examples, in [0, 1), that carry the label of another class
 * @param warped whether rows pass through a fixed random two-layer map, so that a backbone has
 *     something to learn
 * @param sample which draw of examples from these classes: 0 to train on, others to test on
 * @param seed of everything random
 */
public record PlantedClasses(
    int numClasses,
    int dim,
    int examplesPerClass,
    int seenClasses,
    float noise,
    int numFamilies,
    float spread,
    double zipfExponent,
    double flippedShare,
    boolean warped,
    int sample,
    long seed) {
  /** Checks every setting. */
  public PlantedClasses {
    Check.inRange("numClasses", numClasses, 2, Integer.MAX_VALUE - 8);
    Check.inRange("dim", dim, 1, warped ? 8192 : 1 << 20);
    Check.positive("examplesPerClass", examplesPerClass);
    Check.inRange("seenClasses", seenClasses, 0, numClasses);
    Check.inRange("noise", noise, 0f, 1000f);
    Check.inRange("numFamilies", numFamilies, 0, numClasses);
    Check.inRange("spread", spread, 0f, 1000f);
    Check.inRange("zipfExponent", zipfExponent, 0, 10);
    Check.inRightOpenRange("flippedShare", flippedShare, 0, 1);
    Check.inRange("sample", sample, 0, Integer.MAX_VALUE);
  }

  /** 1000 classes x 64 features, 20 examples a class, in 32 families; no flipped labels. */
  public static PlantedClasses defaults() {
    return new PlantedClasses(1000, 64, 20, 0, 1f, 0, 0.5f, 0, 0, false, 0, 42);
  }

  /** How many classes really have examples. */
  public int classesWithExamples() {
    return seenClasses == 0 ? numClasses : seenClasses;
  }

  /** How many families there really are. */
  public int families() {
    return numFamilies == 0 ? (int) Math.round(Math.sqrt(numClasses)) : numFamilies;
  }

  /** The family of a class; neighbouring class ids are in different families. */
  public int family(int classId) {
    return classId % families();
  }

  /** These settings with another {@code numClasses}. */
  public PlantedClasses withNumClasses(int numClasses) {
    return edited(draft -> draft.numClasses = numClasses);
  }

  /** These settings with another {@code dim}. */
  public PlantedClasses withDim(int dim) {
    return edited(draft -> draft.dim = dim);
  }

  /** These settings with another {@code examplesPerClass}. */
  public PlantedClasses withExamplesPerClass(int examplesPerClass) {
    return edited(draft -> draft.examplesPerClass = examplesPerClass);
  }

  /** These settings with another {@code seenClasses}. */
  public PlantedClasses withSeenClasses(int seenClasses) {
    return edited(draft -> draft.seenClasses = seenClasses);
  }

  /** These settings with another {@code noise}. */
  public PlantedClasses withNoise(float noise) {
    return edited(draft -> draft.noise = noise);
  }

  /** These settings with another {@code numFamilies}. */
  public PlantedClasses withNumFamilies(int numFamilies) {
    return edited(draft -> draft.numFamilies = numFamilies);
  }

  /** These settings with another {@code spread}. */
  public PlantedClasses withSpread(float spread) {
    return edited(draft -> draft.spread = spread);
  }

  /** These settings with another {@code zipfExponent}. */
  public PlantedClasses withZipfExponent(double zipfExponent) {
    return edited(draft -> draft.zipfExponent = zipfExponent);
  }

  /** These settings with another {@code flippedShare}. */
  public PlantedClasses withFlippedShare(double flippedShare) {
    return edited(draft -> draft.flippedShare = flippedShare);
  }

  /** These settings with another {@code warped}. */
  public PlantedClasses withWarped(boolean warped) {
    return edited(draft -> draft.warped = warped);
  }

  /** These settings with another {@code sample}. */
  public PlantedClasses withSample(int sample) {
    return edited(draft -> draft.sample = sample);
  }

  /** These settings with another {@code seed}. */
  public PlantedClasses withSeed(long seed) {
    return edited(draft -> draft.seed = seed);
  }

  @Override
  public String toString() {
    String seen = seenClasses == 0 ? "" : "seenClasses=%d, ".formatted(seenClasses);
    return "synthetic(numClasses=%d, dim=%d, examplesPerClass=%d, %snoise=%s, numFamilies=%d, spread=%s, "
            .formatted(numClasses, dim, examplesPerClass, seen, noise, families(), spread)
        + "zipfExponent=%s, flippedShare=%s, warped=%s, sample=%d, seed=%d)"
            .formatted(zipfExponent, flippedShare, warped, sample, seed);
  }

  private PlantedClasses edited(Consumer<Draft> edit) {
    var draft = new Draft(this);
    edit.accept(draft);
    return draft.toSettings();
  }

  /** The components as variables, so that a {@code with} method names only the one it changes. */
  private static final class Draft {
    private int numClasses;
    private int dim;
    private int examplesPerClass;
    private int seenClasses;
    private float noise;
    private int numFamilies;
    private float spread;
    private double zipfExponent;
    private double flippedShare;
    private boolean warped;
    private int sample;
    private long seed;

    Draft(PlantedClasses from) {
      numClasses = from.numClasses;
      dim = from.dim;
      examplesPerClass = from.examplesPerClass;
      seenClasses = from.seenClasses;
      noise = from.noise;
      numFamilies = from.numFamilies;
      spread = from.spread;
      zipfExponent = from.zipfExponent;
      flippedShare = from.flippedShare;
      warped = from.warped;
      sample = from.sample;
      seed = from.seed;
    }

    PlantedClasses toSettings() {
      return new PlantedClasses(
          numClasses,
          dim,
          examplesPerClass,
          seenClasses,
          noise,
          numFamilies,
          spread,
          zipfExponent,
          flippedShare,
          warped,
          sample,
          seed);
    }
  }
}
