// SPDX-License-Identifier: Apache-2.0
package megaclass.openset;

import java.util.HashMap;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Several examples of one subject that stand for it together (the IJB protocols).
 *
 * @param id its name
 * @param subject who it shows: templates of one subject are of one class
 * @param media the items of each medium, such as the frames of a video; a medium has one or more
 */
public record Template(String id, String subject, List<List<Integer>> media) {
  /** Checks that there is something in it. */
  public Template {
    if (media.isEmpty() || media.stream().anyMatch(List::isEmpty)) {
      throw new IllegalArgumentException("template " + id + " is empty; give it an example");
    }
    media = media.stream().map(List::copyOf).toList();
  }

  /**
   * The embeddings of templates, with their subjects as classes: the mean over media of the mean
   * over the items of a medium, at unit length.
   *
   * @param items the embeddings of single examples; may be closed afterwards
   * @return (templates, dim)
   * @throws ArithmeticException when the items of a template cancel each other out
   */
  public static EmbeddingSet embed(EmbeddingSet items, List<Template> templates) {
    var subjects = new HashMap<String, Integer>();
    int[] classIds =
        templates.stream()
            .mapToInt(t -> subjects.computeIfAbsent(t.subject(), _ -> subjects.size()))
            .toArray();
    var set = new EmbeddingSet(items.dim(), classIds, items.engine());
    try {
      IntStream.range(0, templates.size())
          .forEach(
              t -> set.put(t, templates.get(t).mean(items), "template " + templates.get(t).id()));
    } catch (RuntimeException e) {
      set.close();
      throw e;
    }
    return set;
  }

  private float[] mean(EmbeddingSet items) {
    double[] sum = new double[items.dim()];
    for (var medium : media) {
      for (int item : medium) {
        for (int j = 0; j < sum.length; j++) {
          sum[j] += (double) items.value(item, j) / medium.size();
        }
      }
    }
    float[] mean = new float[sum.length];
    for (int j = 0; j < sum.length; j++) {
      mean[j] = (float) (sum[j] / media.size());
    }
    return mean;
  }
}
