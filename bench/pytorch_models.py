"""The models of bench/model_cases.ts in PyTorch: steps for bench/pytorch_steps.py, which measures them."""
import torch
from torch import nn
from torch.nn import functional as F

NAMES, NUMBERS = [50, 225, 6, 46, 29, 7, 3, 37, 4], [10, 3, 5, 5, 11]
LATENT, PACK, TAU = 128, 10, 0.2
SIZE, WORDS, EMBEDDING, FILTERS, CAPTION_LATENT = 28, 19, 64, 16, 64


class Residual(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, units), nn.BatchNorm1d(units), nn.ReLU())

    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def tabular(batch, device):
    """CTGAN (Xu et al. 2019)."""
    sizes, scalars, conditions = NAMES + NUMBERS, len(NUMBERS), sum(NAMES)
    width = scalars + sum(sizes)
    inputs = LATENT + conditions
    g = nn.Sequential(Residual(inputs, 256), Residual(inputs + 256, 256), nn.Linear(inputs + 512, width)).to(device)
    d = nn.Sequential(
        nn.Linear(PACK * (width + conditions), 256), nn.LeakyReLU(0.2), nn.Dropout(0.5),
        nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Linear(256, 1)).to(device)
    adam = dict(lr=2e-4, betas=(0.5, 0.9))
    g_opt, d_opt = torch.optim.Adam(g.parameters(), weight_decay=1e-6, **adam), torch.optim.Adam(d.parameters(), **adam)
    rows = torch.rand(2000, width, device=device) * 2 - 1

    def activate(logits):
        parts = [torch.tanh(logits[:, :scalars])]
        for choice in torch.split(logits[:, scalars:], sizes, 1):
            parts.append(F.gumbel_softmax(choice, TAU))
        return torch.cat(parts, 1)

    def packed(x, condition):
        return torch.cat([x, condition], 1).reshape(batch // PACK, -1)

    def step(i):
        numbers = (torch.arange(batch, device=device) + i * batch) % 2000
        real, condition = rows[numbers], F.one_hot(numbers % conditions, conditions).float()
        z = torch.randn(batch, LATENT, device=device)
        given = torch.cat([z, condition], 1)
        with torch.no_grad():
            fake = packed(activate(g(given)), condition)
        real = packed(real, condition)
        d_opt.zero_grad()
        share = torch.rand(len(real), 1, device=device)
        between = (share * real + (1 - share) * fake).requires_grad_()
        gradient, = torch.autograd.grad(d(between).sum(), between, create_graph=True)
        penalty = ((gradient.square().sum(1) + 1e-12).sqrt() - 1).square().mean()
        d_loss = d(fake).mean() - d(real).mean() + 10 * penalty
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        logits = g(given)
        choices = torch.split(logits[:, scalars:], sizes, 1)[:len(NAMES)]
        wanted = torch.split(condition, NAMES, 1)
        asked = sum((torch.logsumexp(c, 1) * w.sum(1) - (c * w).sum(1)) for c, w in zip(choices, wanted)).mean()
        g_loss = -d(packed(activate(logits), condition)).mean() + asked
        g_loss.backward()
        g_opt.step()
        return d_loss, g_loss
    return step


def captions(batch, device):
    """GAN-INT-CLS (Reed et al. 2016)."""
    f, side = FILTERS, SIZE // 4

    def block(layer, norm):
        return [layer, norm, nn.ReLU()]
    text = nn.Linear(WORDS, EMBEDDING, bias=False).to(device)
    g = nn.Sequential(
        *block(nn.Linear(CAPTION_LATENT + EMBEDDING, side * side * 4 * f), nn.BatchNorm1d(side * side * 4 * f)),
        nn.Unflatten(1, (4 * f, side, side)),
        *block(nn.ConvTranspose2d(4 * f, 2 * f, 4, 2, 1), nn.BatchNorm2d(2 * f)),
        *block(nn.ConvTranspose2d(2 * f, f, 4, 2, 1), nn.BatchNorm2d(f)),
        nn.Conv2d(f, 3, 3, padding=1), nn.Tanh()).to(device)
    features = nn.Sequential(
        nn.Conv2d(3, 2 * f, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(2 * f, 4 * f, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(side * side * 4 * f, 8 * f), nn.LeakyReLU(0.2)).to(device)
    head = nn.Sequential(
        nn.Linear(8 * f + EMBEDDING, 8 * f), nn.LeakyReLU(0.2), nn.Linear(8 * f, 1)).to(device)
    adam = dict(lr=2e-4, betas=(0.5, 0.999))
    d_opt = torch.optim.Adam([*features.parameters(), *head.parameters(), *text.parameters()], **adam)
    g_opt = torch.optim.Adam([*g.parameters(), *text.parameters()], **adam)
    images = torch.rand(2000, 3, SIZE, SIZE, device=device) * 2 - 1
    words = torch.zeros(2000, WORDS, device=device)
    for i in range(4 * 2000):
        words[i // 4, 7 * i % WORDS] = 1

    def step(i):
        numbers = (torch.arange(batch, device=device) + i * batch) % 2000
        real, said = images[numbers], words[numbers]
        z = torch.randn(batch, CAPTION_LATENT, device=device)
        d_opt.zero_grad()
        caption = text(said)
        with torch.no_grad():
            fake = g(torch.cat([z, caption], 1))
        seen, made = features(real), features(fake)
        wrong = torch.cat([caption[1:], caption[:1]])
        logits = [head(torch.cat(pair, 1)) for pair in ((seen, caption), (made, caption), (seen, wrong))]
        d_loss = F.softplus(-logits[0]).mean() + (F.softplus(logits[1]).mean() + F.softplus(logits[2]).mean()) / 2
        d_loss.backward()
        d_opt.step()
        g_opt.zero_grad()
        caption = text(said)
        g_loss = F.softplus(-head(torch.cat([features(g(torch.cat([z, caption], 1))), caption], 1))).mean()
        g_loss.backward()
        g_opt.step()
        return d_loss, g_loss
    return step


MODELS = {"tabular": tabular, "captions": captions}
