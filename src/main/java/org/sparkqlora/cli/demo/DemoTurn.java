package org.sparkqlora.cli.demo;

/**
 * A conversation of one question.
 *
 * @param question of the user
 * @param answer of the assistant
 */
public record DemoTurn(String question, String answer) {}
