#!/usr/bin/env perl
# Perl's Redis: strings with deadlines, any bytes, pipelines, transactions, walking over keys,
# messages, a server that was away, stores.
# SPDX-License-Identifier: BSD-3-Clause
use strict;
use warnings;
use utf8;
use Redis;

my $address = "$ENV{HOST}:$ENV{PORT}";

# Answers as text: undef, 'text', [several].
sub text {
    return join ", ", map { !defined ? "undef" : ref ? "[" . text(@$_) . "]" : "'$_'" } @_;
}

sub expect {
    my ($got, $right) = @_;
    my $line = (caller)[2];
    die "line $line: expected " . text($right) . ", got " . text($got) . "\n"
        unless text($got) eq text($right);
}

sub expect_error {
    my ($pattern, $do) = @_;
    my $got = eval { $do->() };
    die "expected the error $pattern, got " . text($got) . " $@" unless $@ =~ $pattern;
}

sub strings {
    my $r = shift;
    expect($r->ping, "PONG");
    expect($r->set(k => "v"), "OK");
    expect($r->get("k"), "v");
    expect($r->get("nothing"), undef);
    expect($r->set(k => "w", "NX"), undef);
    expect($r->set(k => "x", "EX", 100), "OK");
    expect($r->ttl("k"), 100);
    expect($r->persist("k"), 1);
    expect($r->setex("page", 60, "<html>"), "OK");
    expect($r->psetex("page", 60_000, "<html>"), "OK");
    expect($r->setnx("page", "other"), 0);
    expect($r->append("page", "</html>"), 13);
    expect($r->getrange("page", -7, -1), "</html>");
    expect($r->setrange("page", 1, "HTML"), 13);
    expect($r->getset("page", "new"), "<HTML></html>");
    expect($r->mset(a => 1, b => 2), "OK");
    expect([$r->mget(qw(a b c))], ["1", "2", undef]);
    expect($r->msetnx(b => 1, c => 1), 0);
    expect($r->incrby("a", 41), 42);
    expect($r->decr("a"), 41);
    expect($r->incrbyfloat("a", "0.25"), "41.25");
    expect($r->exists("a"), 1);
    expect($r->rename("a", "z"), "OK");
    expect($r->type("z"), "string");
    expect($r->del("z", "nothing"), 1);
    expect_error(qr/\[incr\] ERR value is not an integer or out of range/, sub { $r->incr("k") });
    expect_error(qr/\[rename\] ERR no such key/, sub { $r->rename("nothing", "k") });
}

sub any_bytes {
    my $r = shift;
    my $bytes = join "", map { chr } 0 .. 255;
    my $big = $bytes x 80_000;
    expect($r->set($bytes, $bytes), "OK");
    expect($r->get($bytes), $bytes);
    $r->set(big => $big);
    die "20 MB come back changed" unless $r->get("big") eq $big;
    $r->set(empty => "");
    expect($r->get("empty"), "");
}

sub pipelines {
    my $r = shift;
    my @got;
    for my $i (0 .. 4999) {
        $r->set("item:$i", $i, sub { die $_[1] if $_[1] });
        $r->get("item:$i", sub { push @got, $_[0] });
    }
    $r->wait_all_responses;
    expect(\@got, [0 .. 4999]);
}

sub transactions {
    my ($r, $other) = @_;
    expect($r->multi, "OK");
    $r->set(account => 10);
    $r->incrby("account", 5);
    expect([$r->exec], ["OK", 15]);

    $r->watch("account");
    $other->set(account => 99);
    $r->multi;
    $r->set(account => 0);
    expect(scalar $r->exec, undef);
    expect($r->get("account"), 99);
    expect($r->unwatch, "OK");
}

sub walking {
    my $r = shift;
    my ($cursor, $batch, %seen) = (0);
    $r->flushdb;
    $r->mset(map { ("user:$_" => $_) } 0 .. 2999);
    do {
        ($cursor, $batch) = $r->scan($cursor, MATCH => "user:*", COUNT => 100);
        $seen{$_} = 1 for @$batch;
    } while $cursor;
    expect(scalar keys %seen, 3000);
    expect([sort $r->keys("user:1?")], [map { "user:$_" } 10 .. 19]);
    expect($r->dbsize, 3000);
    expect($r->randomkey =~ /^user:/, 1);
}

sub messages {
    my $r = shift;
    my $listener = Redis->new(server => $address);
    my @heard;
    $listener->subscribe("news", sub { push @heard, [@_] });
    $listener->psubscribe("w*", sub { push @heard, [@_] });
    expect($r->publish("news", "hello"), 1);
    expect($r->publish("weather", "cold"), 1);
    my $until = time + 30;
    until (@heard == 2) {
        $listener->wait_for_messages(0.05);
        die "no messages" if time > $until;
    }
    expect(\@heard, [["hello", "news", "news"], ["cold", "weather", "w*"]]);
    expect($r->pubsub("channels")->[0] // "", "news");
}

sub away_and_back {
    my $patient = Redis->new(server => $address, reconnect => 30, every => 50_000);
    my $cli = "redis-cli -h $ENV{HOST} -p $ENV{PORT}";
    expect($patient->set(stays => "here"), "OK");
    system("$cli shutdown save && until $cli ping; do :; done >/dev/null 2>&1") == 0 or die;
    expect($patient->get("stays"), "here");
}

sub stores {
    my $seven = Redis->new(server => $address);
    expect($seven->select(7), "OK");
    expect($seven->set(where => "seven"), "OK");
    expect($seven->move("where", 8), 1);
    expect($seven->select(8), "OK");
    expect($seven->get("where"), "seven");
    expect_error(qr/ERR DB index is out of range/, sub { $seven->select(99) });
    return unless $ENV{SERVER} eq "keyvald";
    my $shop = Redis->new(server => $address, on_connect => sub { $_[0]->select("shop") });
    expect($shop->set(apples => 42), "OK");
    expect([$shop->store("list")], ["0", "8", "shop"]);
}

my $r = Redis->new(server => $address, name => "checker", read_timeout => 30);
expect($r->client_getname, "checker");
strings($r);
any_bytes($r);
pipelines($r);
transactions($r, Redis->new(server => $address));
walking($r);
messages($r);
expect(substr($r->info->{redis_version}, 0, 3), "7.0");
expect([$r->config_get("maxmemory")], ["maxmemory", "0"]);
expect($r->object("encoding", "user:1"), "int");
away_and_back();
stores();
