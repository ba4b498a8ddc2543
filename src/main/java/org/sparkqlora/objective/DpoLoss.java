package org.sparkqlora.objective;

import org.sparkqlora.input.OptionChoice;

/**
 * A loss of a chosen and a rejected answer, with its derivatives. s = log pi - log ref of an answer, D = s of the chosen less that of
 * the rejected, n = tokens of an answer, b = beta, e = label smoothing. Names and formulas are those of TRL's DPOTrainer.
 */
enum DpoLoss implements OptionChoice {
    /** {@code -log sigma(b D)} (arXiv 2305.18290). */
    SIGMOID {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            return ofMargin(-Sigmoid.log(beta * pair.margin()), -beta * Sigmoid.of(-beta * pair.margin()));
        }
    },

    /** {@code max(0, 1 - b D)} (arXiv 2305.10425). */
    HINGE {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double loss = 1 - beta * pair.margin();
            return loss > 0 ? ofMargin(loss, -beta) : ofMargin(0, 0);
        }
    },

    /** {@code (s_c / n_c - s_r / n_r - 1 / (2 b))^2} (arXiv 2310.12036). */
    IPO {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double error = pair.meanMargin() - 1 / (2 * beta);
            return ofMeanMargin(pair, error * error, 2 * error);
        }
    },

    /** {@code [-(1 - e) log sigma(b D) + e log sigma(-b D)] / (1 - 2 e)} (arXiv 2403.00409). */
    ROBUST {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double z = beta * pair.margin();
            double scale = 1 / (1 - 2 * smoothing);
            double loss = -(1 - smoothing) * Sigmoid.log(z) + smoothing * Sigmoid.log(-z);
            double slope = -(1 - smoothing) * Sigmoid.of(-z) - smoothing * Sigmoid.of(z);
            return ofMargin(scale * loss, scale * beta * slope);
        }
    },

    /** {@code q (log q - log(1 - e)) + (1 - q)(log(1 - q) - log e)}, {@code q = sigma(b D)} (arXiv 2402.00856). */
    EXO_PAIR {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double z = beta * pair.margin();
            double q = Sigmoid.of(z);
            double logChosen = Math.log1p(-smoothing);
            double logRejected = Math.log(smoothing);
            double loss = q * (Sigmoid.log(z) - logChosen) + Sigmoid.of(-z) * (Sigmoid.log(-z) - logRejected);
            return ofMargin(loss, beta * q * Sigmoid.of(-z) * (z - logChosen + logRejected));
        }
    },

    /** {@code -log sigma(b s_c) - [log sigma(-b s_c) + log sigma(-b s_r)] / 2} (arXiv 2402.05369). */
    NCA_PAIR {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double c = beta * pair.chosen();
            double r = beta * pair.rejected();
            double loss = -Sigmoid.log(c) - (Sigmoid.log(-c) + Sigmoid.log(-r)) / 2;
            return new Term(loss, beta * (Sigmoid.of(c) / 2 - Sigmoid.of(-c)), beta * Sigmoid.of(r) / 2);
        }
    },

    /** {@code (s_c - 1 / (2 b))^2 + (s_r + 1 / (2 b))^2} (arXiv 2405.00675). */
    SPPO_HARD {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double c = pair.chosen() - 1 / (2 * beta);
            double r = pair.rejected() + 1 / (2 * beta);
            return new Term(c * c + r * r, 2 * c, 2 * r);
        }
    },

    /** {@code 1 - sigma(b s_c) + sigma(b s_r)} (arXiv 2408.06266). */
    APO_ZERO {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double c = Sigmoid.of(beta * pair.chosen());
            double r = Sigmoid.of(beta * pair.rejected());
            return new Term(1 - c + r, -beta * c * (1 - c), beta * r * (1 - r));
        }
    },

    /** {@code sigma(b s_c) + 1 - sigma(b D)} (arXiv 2408.06266). */
    APO_DOWN {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double c = Sigmoid.of(beta * pair.chosen());
            double d = Sigmoid.of(beta * pair.margin());
            double slope = beta * d * (1 - d);
            return new Term(c + 1 - d, beta * c * (1 - c) - slope, slope);
        }
    },

    /** {@code -log sigma(b (s_c / n_c - s_r / n_r))} (arXiv 2411.15124). */
    SIGMOID_NORM {
        @Override
        Term of(Pair pair, double beta, double smoothing) {
            double z = beta * pair.meanMargin();
            return ofMeanMargin(pair, -Sigmoid.log(z), -beta * Sigmoid.of(-z));
        }
    };

    /** The loss with its derivatives with respect to the scores. */
    abstract Term of(Pair pair, double beta, double smoothing);

    /** The loss that the command line calls {@code name}. */
    static DpoLoss parse(String name) {
        return OptionChoice.parse(values(), name, "Unsupported DPO loss '%s': expected one of %s");
    }

    /** @param slope derivative with respect to D */
    private static Term ofMargin(double loss, double slope) {
        return new Term(loss, slope, -slope);
    }

    /** @param slope derivative with respect to the difference of means */
    private static Term ofMeanMargin(Pair pair, double loss, double slope) {
        return new Term(loss, slope / pair.chosenTokens(), -slope / pair.rejectedTokens());
    }

    /** Scores of two answers and their tokens. */
    record Pair(double chosen, double rejected, int chosenTokens, int rejectedTokens) {
        double margin() {
            return chosen - rejected;
        }

        double meanMargin() {
            return chosen / chosenTokens - rejected / rejectedTokens;
        }
    }

    /**
     * A loss.
     *
     * @param chosen derivative with respect to the score of the chosen answer
     * @param rejected derivative with respect to that of the rejected one
     */
    record Term(double loss, double chosen, double rejected) {}
}
