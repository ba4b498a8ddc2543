package org.sparkqlora.run.generate;

/** Prompts that are answered and the tokens of their answers. */
public record AnswerCount(int prompts, long tokens) {
    AnswerCount plus(AnswerCount other) {
        return new AnswerCount(prompts + other.prompts, tokens + other.tokens);
    }
}
