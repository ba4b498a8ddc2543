package org.sparkqlora.data;

import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import org.sparkqlora.input.BadInputException;

/**
 * The labels of texts, as transformers' {@code id2label} has them.
 *
 * @param names in the order of their indices; of a regression what its numbers are called
 */
public record Labels(ProblemType problem, List<String> names) implements Serializable {
    /** What transformers calls the only number of a regression. */
    public static final String NUMBER = "LABEL_0";

    public Labels {
        names = List.copyOf(names);
        int least = problem == ProblemType.SINGLE_LABEL_CLASSIFICATION ? 2 : 1;
        if (names.size() < least) {
            throw new BadInputException("Cannot train a %s: expected the names of at least %d labels, found %s"
                    .formatted(problem.optionName(), least, names));
        }

        if (new HashSet<>(names).size() < names.size()) {
            throw new BadInputException("Cannot use labels %s: expected each of them once".formatted(names));
        }
    }

    /** Outputs of the head. */
    public int outputs() {
        return names.size();
    }

    /** Numbers of a text: the index of its class, 1 for each class that applies and 0 for others, or what is predicted. */
    public int values() {
        return problem == ProblemType.SINGLE_LABEL_CLASSIFICATION ? 1 : names.size();
    }

    /** Whether a text has a list of labels, in the field {@code labels}. */
    public boolean areList() {
        return problem == ProblemType.MULTI_LABEL_CLASSIFICATION
                || problem == ProblemType.REGRESSION && names.size() > 1;
    }

    /** Whether a number cannot be a name, so that it may be an index. */
    boolean takeIndices() {
        return names.stream().noneMatch(name -> name.chars().allMatch(Character::isDigit));
    }
}
